// run-onnxruntime.js JOBS.json: for each job { model, shape, x, to } runs the
// model on float32 numbers and writes every output as to.NAME (int64 or
// float32); prints a line a job, "ok NAME,NAME" or "refused WHY"
const fs = require('fs');
const ort = require('onnxruntime-node');

async function run(job) {
  const session = await ort.InferenceSession.create(job.model,
    { logSeverityLevel: 4, intraOpNumThreads: 1,
      graphOptimizationLevel: 'disabled' });
  const bytes = fs.readFileSync(job.x);
  const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const outputs = await session.run(
    { x: new ort.Tensor('float32', x, job.shape) });
  for (const [name, tensor] of Object.entries(outputs))
    fs.writeFileSync(`${job.to}.${name}`,
      Buffer.from(tensor.data.buffer, tensor.data.byteOffset,
        tensor.data.byteLength));
  await session.release();
  return `ok ${Object.keys(outputs).join(',')}`;
}

(async () => {
  for (const job of JSON.parse(fs.readFileSync(process.argv[2])))
    try {
      console.log(await run(job));
    } catch (error) {
      console.log(`refused ${String(error.message).split('\n')[0]}`);
    }
})();

// worker-onnxruntime.js MODEL.onnx INPUT.f32 N,C,H,W THREADS
// The protocol of worker-camlens.c, by ONNX Runtime on the processor: all graph
// optimisations, sequential execution, THREADS intra-op threads, memory arena
// and memory pattern as by default.
'use strict';
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');

const [model, inputFile, shape, threads] = process.argv.slice(2);

async function main() {
  const bytes = fs.readFileSync(inputFile);
  const data = new Float32Array(bytes.buffer, bytes.byteOffset,
                                bytes.length / 4);
  const input = new ort.Tensor('float32', data, shape.split(',').map(Number));
  console.log(`started ${ort.env.versions.node}`);
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
  });
  const feeds = { [session.inputNames[0]]: input };
  let results = await session.run(feeds);
  console.log('ready');
  for await (const line of readline.createInterface(process.stdin)) {
    const [command, argument] = line.split(' ');
    if (command === 'run') {
      const times = [];
      for (let i = 0; i < Number(argument); i++) {
        const start = process.hrtime.bigint();
        results = await session.run(feeds);
        times.push(Number(process.hrtime.bigint() - start) / 1e6);
      }
      console.log(times.map((t) => t.toFixed(3)).join(' '));
    } else if (command === 'save') {
      const output = results[session.outputNames[0]].data;
      fs.writeFileSync(argument, Buffer.from(output.buffer, output.byteOffset,
                                             output.byteLength));
      console.log('saved');
    }
  }
}

main();

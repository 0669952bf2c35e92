// worker-onnxruntime.js -- runs the models that its input names, one a line
//
//   MODEL.onnx INPUT.f32 N,C,H,W FOLDER
//
// writes each output as FOLDER/NAME.bin (float32 or int64) and answers "ok", or
// "no" and why.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require('onnxruntime-node');

async function one(model, inputFile, shape, folder) {
  const bytes = fs.readFileSync(inputFile);
  const data = new Float32Array(bytes.buffer, bytes.byteOffset,
                                bytes.length / 4);
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  const results = await session.run({
    x: new ort.Tensor('float32', data, shape.split(',').map(Number)) });
  for (const name of session.outputNames) {
    const values = results[name].data;
    fs.writeFileSync(path.join(folder, `${name}.bin`),
                     Buffer.from(values.buffer, values.byteOffset,
                                 values.byteLength));
  }
}

async function main() {
  for await (const line of readline.createInterface(process.stdin)) {
    try {
      await one(...line.split(' '));
      console.log('ok');
    } catch (error) {
      console.log(`no ${String(error.message).split('\n')[0]}`);
    }
  }
}
main();

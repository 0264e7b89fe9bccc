// Runs a WASI program: run-wasi.mjs PROGRAM FOLDER. The program sees FOLDER as /vectors, and gets
// that name as its argument. Works with nodejs 18, which wants
// --experimental-wasi-unstable-preview1, and later.
//
// SPDX-License-Identifier: LGPL-2.1-or-later
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [program, folder] = process.argv.slice(2);
const wasi = new WASI({
    version: 'preview1',
    args: [program, '/vectors'],
    preopens: { '/vectors': folder },
    returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(program));
const instance =
    await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);

'use strict';
// The compile cache that Node has from 22 on, for the packed program on Node 20 too: V8's code of each module lies beside it,
// written by the first process that ends after it ran it. scripts/pack.mjs throws the folder away when anything changes.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname } = require('node:path');
const vm = require('node:vm');

const PACKED = dirname(module.filename);
const plainly = Module.prototype._compile;
/** What this process compiled itself. */
const compiled = [];

const stored = (file) => {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
};

Module.prototype._compile = function compile(content, filename) {
  if (dirname(filename) !== PACKED) return plainly.call(this, content, filename);
  const file = `${filename}.code`;
  const cachedData = stored(file);
  const script = new vm.Script(Module.wrap(content.replace(/^#!/, '//')), {
    filename,
    cachedData,
  });
  if (cachedData === undefined || script.cachedDataRejected) compiled.push({ file, script });
  const require = Module.createRequire(filename);
  return script.runInThisContext().call(this.exports, this.exports, require, this, filename, PACKED);
};

exports.load = (name) => import(name);

process.on('exit', () => {
  for (const { file, script } of compiled) {
    try {
      // whole or not at all: others may read it now
      writeFileSync(`${file}.${process.pid}`, script.createCachedData());
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      // packed anew meanwhile
    }
  }
});

// node scripts/sum-reports.mjs REPORT...: one line, the sum of vitest's JSON reports. Exit 1 where a test or a file failed,
// or where a report is missing: a run that wrote none may have run nothing.
import { readFileSync } from 'node:fs';

let [passed, failed, skipped] = [0, 0, 0];
let sound = process.argv.length > 2;
for (const file of process.argv.slice(2)) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    skipped += report.numPendingTests + report.numTodoTests;
    if (!report.success || report.numPassedTests === 0) sound = false;
  } catch {
    process.stderr.write(`no report in ${file}\n`);
    sound = false;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(sound && failed === 0 ? 0 : 1);

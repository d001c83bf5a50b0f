const { default: Sequencer } = require("@jest/test-sequencer");

/** Suites of a minute and more, the longest first: one that began last would run alone at the end, with the other cores idle. */
const LONGEST = [
  "services/message-topic/test/model/model.test.ts",
  "services/message-topic/test/wire-proof.test.ts",
  "packages/core/test/moving-load.test.ts",
  "services/message-topic/test/end-to-end.test.ts",
  "services/message-topic/test/wire-faults.test.ts",
  "packages/client/test/browser.test.ts",
  "services/message-topic/test/model/redis-model.test.ts",
  "services/message-broadcast/test/recovery.test.ts",
];

/** Jest's own order (by what earlier runs took, else by size), behind these. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = LONGEST.findIndex((name) => path.endsWith(name));
      return at < 0 ? LONGEST.length : at;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};

import { defineConfig } from 'vitest/config'

const MINUTE_MS = 60_000

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', testTimeout: MINUTE_MS, hookTimeout: MINUTE_MS, include: ['{operator,controllers,crds,charts,config,test}/**/*.test.ts'], exclude: ['test/{integration,e2e}/**', '**/node_modules/**'], isolate: false } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], testTimeout: 2 * MINUTE_MS, hookTimeout: 5 * MINUTE_MS, maxWorkers: 2 } }, // each file has an API server of its own, and mostly waits for it
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], globalSetup: ['test/e2e/setup.ts'], testTimeout: 10 * MINUTE_MS, hookTimeout: 30 * MINUTE_MS, fileParallelism: false } },
    ],
  },
})

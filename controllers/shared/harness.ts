export const HARNESS_VERSION = '5.0.2' // what Dockerfile.harness installs; a test compares them

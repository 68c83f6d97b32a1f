import { describe, expect, it } from 'vitest'
import { kube, KubectlError } from './kube.ts'

describe('kubectl', () => {
  it('that ends before it has read its input is an error of this call, and of nothing else', async () => {
    const input = 'x'.repeat(1 << 22) // more than a pipe holds
    await expect(kube('/bin/false', 'nowhere').run(['apply', '-f', '-'], input)).rejects.toBeInstanceOf(KubectlError)
  })
})

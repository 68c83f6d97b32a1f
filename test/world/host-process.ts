import { readFile, readdir } from 'node:fs/promises'

/** Process ids on this machine of a program inside one pod: the kubelet names a pod's cgroup by the pod's uid. */
export async function processesOfPod(podUid: string, argument: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const [cmdline, cgroup] = await Promise.all([readProc(entry, 'cmdline'), readProc(entry, 'cgroup')])
    if (cmdline.includes(argument) && cgroup.includes(podUid)) found.push(Number(entry))
  }
  return found
}

/** SIGKILL, as the kernel or a node failure would: the program has no chance to say anything. Returns how many died. */
export async function killInPod(podUid: string, argument: string): Promise<number> {
  const victims = await processesOfPod(podUid, argument)
  for (const pid of victims) process.kill(pid, 'SIGKILL')
  return victims.length
}

/** A process that ended while we looked has nothing to tell. */
async function readProc(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
}

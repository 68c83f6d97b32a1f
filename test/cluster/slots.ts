/** Clusters beside each other get a /30 each out of 10.201.0.0/16, numbered by a slot. */

export const SLOTS = 64

/** The three addresses of a slot; `host` is our end of the cable, `node` the cluster's. */
export type Addresses = Readonly<{ host: string; node: string; prefixLength: 30 }>

export function addressesOf(slot: number): Addresses {
  return { host: `10.201.${slot}.1`, node: `10.201.${slot}.2`, prefixLength: 30 }
}

/**
 * The lowest slot that no other cluster has and whose network this machine does not use for something else.
 * Throws when none is left.
 */
export function chooseSlot(taken: readonly number[], hostAddresses: readonly string[]): number {
  const used = (slot: number) => hostAddresses.some(address => address.startsWith(`10.201.${slot}.`))
  for (let slot = 0; slot < SLOTS; slot++) {
    if (!taken.includes(slot) && !used(slot)) return slot
  }
  throw new Error(`All ${SLOTS} networks for local clusters are taken. Remove clusters you no longer need: npm run cluster -- status; npm run cluster -- down --name NAME`)
}

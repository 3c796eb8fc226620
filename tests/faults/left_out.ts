/**
 * What experiments and the oracle leave out on a cluster, and why. To take a part in again, delete its line: the compiler
 * then names the places that ask for it.
 */
export const NOT_ON_CLUSTERS = {
  "one line a statement": "a statement past the service has a line of the audit log for each shard",
  "trainers' foreign key": "nothing looks whether a default trainer that is set past the service is a member",
  "commit times": "each node has its own",
  "signups without failures":
    "a signup may wait for what another place has, and a run's proof may find its member first",
  "a signup's time": "signups wait for a shard that moves, and for a worker that is away",
} as const;

/** What a world may lack. */
export type Feature = keyof typeof NOT_ON_CLUSTERS;

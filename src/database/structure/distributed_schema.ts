import type { CatalogObject } from "./catalog.ts";
import type { SchemaObject } from "./schema_file.ts";

const ASSIGNMENTS = "public.trainer_client_assignments";

/** What db/citus drops. */
const DROPPED = new Set([
  `${ASSIGNMENTS} trainer_client_assignments_trainer_id_fkey`,
  "public.members members_follow_id_after_update",
  "assignment.backfill_lanes backfill_lanes_run_id_fkey",
  "assignment.backfill_errors backfill_errors_run_id_fkey",
  "assignment.backfill_samples backfill_samples_run_id_fkey",
  "assignment.backfill_choices backfill_choices_run_id_fkey",
  "assignment.backfill_selected backfill_selected_run_id_fkey",
]);

/** What it makes anew: keys must hold what a table is distributed by. */
const CHANGED = new Map([
  [`${ASSIGNMENTS} trainer_client_assignments_pkey`, "PRIMARY KEY (client_id, id)"],
  [
    `${ASSIGNMENTS} trainer_client_assignments_client_id_fkey`,
    "FOREIGN KEY (client_id) REFERENCES public.members(id) ON DELETE CASCADE",
  ],
  ["assignment.seats seats_pkey", "PRIMARY KEY (trainer_id, is_overbooked, seat, place)"],
  ["assignment.backfill_lanes backfill_lanes_pkey", "PRIMARY KEY (run_id, lane, place)"],
  ["assignment.backfill_samples backfill_samples_pkey", "PRIMARY KEY (run_id, at, lane, place)"],
  [
    "assignment.backfill_choices backfill_choices_pkey",
    "PRIMARY KEY (run_id, lane, rule, trainer_id, place)",
  ],
]);

/** Tells from its catalog whether a database was distributed by `migrate --citus`. */
export function hasDistributedSchema(catalog: readonly CatalogObject[]): boolean {
  return catalog.some(({ kind, name }) => kind === "type" && name === "assignment.backfill_run");
}

/** The objects of db/schema.sql as `migrate --citus` changes them. */
export function toDistributed(object: SchemaObject): SchemaObject[] {
  if (DROPPED.has(object.name)) return [];
  const definition = CHANGED.get(object.name);
  return [definition === undefined ? object : { ...object, definition }];
}

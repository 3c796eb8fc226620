import type { Role } from "../../config/roles.ts";

/** The caller of a request. */
export interface Principal {
  name: string;
  role: Role;
}

/** A known caller who lacks the role for something. */
export interface Refusal {
  actor: string;
  needed: Role;
  /** Null: none that this service knows. */
  held: Role | null;
}

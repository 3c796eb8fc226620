import type { Role } from "../../config/roles.ts";

/** The caller of a request. */
export interface Principal {
  name: string;
  role: Role;
}

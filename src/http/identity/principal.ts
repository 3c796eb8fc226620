import type { Token } from "../../config.ts";

/** The role that a route requires. `admin` includes `service`. */
export type Role = Token["role"];

/** The caller of a request. */
export interface Principal {
  name: string;
  role: Role;
}

import type { Token } from "../../config.ts";

/** What a route asks for. `admin` may do all that `service` may. */
export type Role = Token["role"];

/** Who calls. */
export interface Principal {
  name: string;
  role: Role;
}

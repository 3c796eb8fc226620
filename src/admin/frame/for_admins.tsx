import { type Child, createContext, useContext } from "hono/jsx";
import { includesRole } from "../../config/roles.ts";
import type { Session } from "../../http/identity/session.ts";

/** Whether the page is for somebody who may change something. The layout says so; nobody may by default. */
const MayChange = createContext(false);

/** Tells whether somebody may change anything. Viewers only look. */
export function mayChange(session: Session | undefined): boolean {
  return session !== undefined && includesRole(session.role, "admin");
}

/** Holds a page, whose {@link ForAdmins} then know for whom it is. */
export function Audience({ session, children }: { session: Session | undefined; children?: Child }) {
  return <MayChange.Provider value={mayChange(session)}>{children}</MayChange.Provider>;
}

/** Shows what changes something, or leads to it, to those who may; to others what is there instead, if anything. */
export function ForAdmins({ others, children }: { others?: Child; children?: Child }) {
  return <>{useContext(MayChange) ? children : others}</>;
}

import { userInfo } from "node:os";

/** Who works at the terminal: `cli:` and the operating system's user; `cli` where there is no name, as in some containers. */
export function actorAtTerminal(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return "cli";
  }
}

/** A problem that the person at the terminal can act on: the command line prints its message, without a stack. */
export class OperatorError extends Error {
  override name = "OperatorError";
}

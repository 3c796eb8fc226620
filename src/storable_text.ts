/** Tells whether a text can be kept: PostgreSQL cannot store a NUL, and half a surrogate pair is not a character. */
export function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

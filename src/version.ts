/** The version of the service and its API, by semantic versioning. */
export const VERSION = "1.0.0";

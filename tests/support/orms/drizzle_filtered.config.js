// As docs/adopting_orm.md advises.
import config from "./drizzle.config.js";

export default { ...config, schemaFilter: ["public"], tablesFilter: ["!trainer_client_assignments"] };

// As an application has it that does not know of other tables.
export default {
  dialect: "postgresql",
  schema: "./schema.js",
  dbCredentials: { url: process.env.DATABASE_URL },
};

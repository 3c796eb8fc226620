// Connects as an application does, with the data source's option that the argument names: synchronize or dropSchema.
import { DataSource, EntitySchema } from "typeorm";

const Member = new EntitySchema({
  name: "Member",
  tableName: "members",
  columns: { id: { type: "uuid", primary: true, generated: "uuid" }, email: { type: "text", nullable: true } },
});
const source = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  entities: [Member],
  uuidExtension: "pgcrypto",
  installExtensions: false,
  [process.argv[2]]: true,
});
await source.initialize();
await source.destroy();

// The application's own table, as its schema names it.
import { pgTable, text, uuid } from "drizzle-orm/pg-core";

export const members = pgTable("members", { id: uuid("id").primaryKey().defaultRandom(), email: text("email") });

/** How events are signed; src/webhooks/in has a file for each. */
export type SignatureScheme = "standard" | "workos" | "keycloak" | "sharedSecret";

/** The shape of a provider's events: what is where, as JSON pointers. */
export interface Provider {
  scheme: SignatureScheme;
  /** The event's id, where no header has it. Without one it is the digest of the body. */
  eventId: readonly string[];
  /** The event's type. */
  type: string;
  /** The types that say that a member was created; others are ignored. */
  types: readonly string[];
  id: readonly string[];
  /** Where the id is in events of some types. */
  idOfType: Readonly<Record<string, readonly string[]>>;
  /** The first that leads to something counts. */
  email: readonly string[];
  /** All of them count, joined by spaces. */
  name: readonly string[];
}

/** What the known providers send, so that the secret alone has to be configured. See docs/webhooks.md. */
export const PROVIDERS = {
  standard: {
    scheme: "standard",
    eventId: [],
    type: "/type",
    types: ["user.created"],
    id: ["/data/id"],
    idOfType: {},
    email: ["/data/email"],
    name: ["/data/name"],
  },
  clerk: {
    scheme: "standard",
    eventId: [],
    type: "/type",
    types: ["user.created"],
    id: ["/data/id"],
    idOfType: {},
    email: ["/data/email_addresses/0/email_address"],
    name: ["/data/first_name", "/data/last_name"],
  },
  "supabase-auth": {
    scheme: "standard",
    eventId: [],
    type: "/metadata/name",
    types: ["before-user-created", "after-user-created"],
    id: ["/user/id"],
    idOfType: {},
    email: ["/user/email"],
    name: ["/user/user_metadata/full_name"],
  },
  "supabase-database": {
    scheme: "sharedSecret",
    eventId: [],
    type: "/type",
    types: ["INSERT"],
    id: ["/record/id"],
    idOfType: {},
    email: ["/record/email"],
    name: ["/record/raw_user_meta_data/full_name"],
  },
  workos: {
    scheme: "workos",
    eventId: ["/id"],
    type: "/event",
    types: ["user.created"],
    id: ["/data/id"],
    idOfType: {},
    email: ["/data/email"],
    name: ["/data/first_name", "/data/last_name"],
  },
  keycloak: {
    scheme: "keycloak",
    eventId: ["/uid", "/id"],
    type: "/type",
    types: ["access.REGISTER", "admin.USER-CREATE"],
    id: ["/authDetails/userId"],
    idOfType: { "admin.USER-CREATE": ["/resourceId"] }, // there, authDetails has the admin
    email: ["/details/email"],
    name: ["/details/first_name", "/details/last_name"],
  },
} as const satisfies Record<string, Provider>;

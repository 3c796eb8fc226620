/** What the commands of each page need, and what is filled in where a reader would. */

const DEFAULT_TRAINER = "d18a21c8-be77-496f-a2fd-ec6479ecba6d";
const OTHER_TRAINER = "00000000-0000-4000-8000-000000000001";
/** A database of another application, with its trainer. */
const FOREIGN_DATABASE = `
use_database template0
psql -q "$DATABASE_URL" -c "
  create table public.members (id uuid primary key, plan text);
  insert into public.members values ('${OTHER_TRAINER}', null), (gen_random_uuid(), 'pro');
"`;
/** A service with a few members, one of whom the examples ask about, or make a trainer. */
const SERVED = `
use_database
psql -q "$DATABASE_URL" -c "
  insert into members (id, display_name) values ('${OTHER_TRAINER}', 'Anna Example');
  insert into members select from generate_series(1, 3);
"
serve
MEMBER=${OTHER_TRAINER}`;

export interface Setup {
  /** Commands before the page's own; by default they give it a migrated database. */
  arrange?: string;
  /** Commands before the block that has this text. */
  before?: Record<string, string>;
  /** What takes the place of what. */
  fill?: Record<string, string>;
}

export const SETUPS: Record<string, Setup> = {
  "README.md": {
    arrange: "", // it starts a database of its own
    before: { "export DATABASE_URL=": `${FOREIGN_DATABASE}; FOREIGN=$DATABASE_URL; unset DATABASE_URL` },
    fill: {
      "DATABASE_URL=postgres://…": "DATABASE_URL=$STARTED_DATABASE",
      "TOKEN=ta_…": "TOKEN=$STARTED_TOKEN",
      "postgres://user:password@host/database": "$FOREIGN",
      "me=…": "$MADE_LINE",
      "Bearer ta_…": "Bearer $MADE_TOKEN",
      '{"defaultTrainerId": "…"}': `{"defaultTrainerId": "${OTHER_TRAINER}"}`,
    },
  },
  "docs/adopting.md": {
    arrange: `
      ROLES="trainer_owner trainer_service application reports"; drop_roles
      use_database
      psql -q "$DATABASE_URL" -c "
        create schema auth;
        create table auth.users (id uuid primary key, email text, raw_user_meta_data jsonb);
        insert into auth.users values (gen_random_uuid(), 'new@example.com', '{}');
      "`,
    before: {
      "rename to people": `
        use_database template0
        psql -q "$DATABASE_URL" -c "
          create table public.members (id uuid primary key);
          create table public.premium_members (tier text, primary key (id)) inherits (public.members);
        "`,
      "alter function public.keep_audit": `
        use_database
        psql -q "$DATABASE_URL" -c "
          create function public.keep_audit() returns trigger language plpgsql as 'begin return new; end'
        "`,
      "create role trainer_service": "psql -q \"$DATABASE_URL\" -c 'alter table members add full_name text'",
      "policy members_sign_up": `psql -q "$SERVER" -c "create role application"`,
      "policy reports_read": `psql -q "$SERVER" -c "create role reports"`,
      "migrate down --all": "use_database",
    },
    fill: { "password '…'": "password 'secret'", "database app ": 'database :"DBNAME" ' },
  },
  "docs/adopting_orm.md": {
    arrange: `
      ROLES=authenticated; drop_roles
      use_database
      psql -q "$DATABASE_URL" -c "
        create role authenticated;
        create schema auth;
        create function auth.uid() returns uuid language sql as 'select gen_random_uuid()';
      "`,
    before: { "migrate repair": `psql -q "$DATABASE_URL" -c "drop table trainer_client_assignments"` },
  },
  "docs/api.md": { arrange: SERVED, fill: { "MEMBER=…": "MEMBER=$MEMBER" } },
  "docs/history.md": { arrange: SERVED },
  "docs/operating.md": {
    arrange: SERVED,
    before: {
      "migrate repair": `psql -q "$DATABASE_URL" -c "drop index trainer_client_assignments_active_key"`,
    },
  },
  "docs/policy.md": {
    arrange: SERVED,
    fill: {
      '{"defaultTrainerId": "…"}': `{"defaultTrainerId": "${OTHER_TRAINER}"}`,
      "$(git log -1 --format=%s)": "the subject of a commit",
    },
  },
  "docs/transfers.md": {
    arrange: `
      use_database
      psql -q "$DATABASE_URL" -c "
        alter table members add plan text, disable trigger user;
        insert into members (id) values ('${OTHER_TRAINER}');
        insert into members (plan) select 'pro' from generate_series(1, 20);
        insert into trainer_client_assignments (client_id, trainer_id)
          select id, '${OTHER_TRAINER}' from members where plan = 'pro';
      "
      psql -qAt "$DATABASE_URL" -c "select id from members where plan = 'pro' limit 3" >ids.txt`,
    before: {
      "--members ids.txt": `psql -q "$DATABASE_URL" -c "
        update trainer_client_assignments set trainer_id = '${OTHER_TRAINER}' where status = 'active'"`,
    },
    fill: { "FROM": OTHER_TRAINER, " TO": ` ${DEFAULT_TRAINER}` },
  },
  "docs/webhooks.md": {
    arrange: `export $(deno task token --webhook-key | grep WEBHOOK_KEY=)${SERVED}`,
    before: {
      '/v1/events?limit=100"': `curl -sH "$AUTH" "$BASE/v1/webhooks" -H 'Content-Type: application/json' \\
        -d '{"url": null, "types": ["assignments.created"]}'`,
    },
    fill: {
      "after=…": `after=$(curl -sH "$AUTH" "$BASE/v1/events" | grep -o '"next":"[^"]*' | cut -d'"' -f4)`,
      "whsec_…": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "…the secret…": "0123456789abcdef0123456789abcdef",
      "…the signing secret…": "0123456789abcdef0123456789abcdef",
    },
  },
};

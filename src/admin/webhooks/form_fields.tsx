import { MESSAGE_TYPES } from "../../webhooks/endpoints.ts";
import { MAX_URL_LENGTH } from "../../webhooks/registration.ts";
import type { Typed } from "../frame/pages.ts";
import { fieldOf, MAX_DESCRIPTION_LENGTH } from "./form.ts";
import { TYPE_WORDS } from "./wording.ts";

/** The fields of a webhook. @param url what to say of its address; none: it has no URL and gets none */
export function WebhookFields({ typed, url }: {
  typed: Typed;
  url?: { label: string; isRequired: boolean } | undefined;
}) {
  return (
    <>
      <div class="fields">
        {url !== undefined && (
          <p>
            <label for="url">{url.label}</label>
            <input
              id="url"
              name="url"
              type="url"
              value={typed.url}
              required={url.isRequired}
              maxlength={MAX_URL_LENGTH}
              placeholder="https://crm.example.com/hooks"
              autocomplete="off"
            />
          </p>
        )}
        <p>
          <label for="description">What it is for (optional)</label>
          <input
            id="description"
            name="description"
            value={typed.description}
            maxlength={MAX_DESCRIPTION_LENGTH}
            autocomplete="off"
          />
        </p>
      </div>
      <fieldset class="choices">
        <legend>Tell it when</legend>
        {MESSAGE_TYPES.map((type) => (
          <label class="check" key={type}>
            <input
              type="checkbox"
              name={fieldOf(type)}
              value="true"
              checked={typed[fieldOf(type)] !== undefined}
            />
            <span>
              {TYPE_WORDS[type]} <code>{type}</code>
            </span>
          </label>
        ))}
      </fieldset>
    </>
  );
}

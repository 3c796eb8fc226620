# The service, without a database of its own: it needs DATABASE_URL, and ADMIN_TOKENS or AUTH_ISSUER.
FROM denoland/deno:2.9.6 AS dependencies
ENV DENO_DIR=/deno-dir
WORKDIR /app
COPY deno.json deno.lock main.ts ./
COPY src src
COPY deploy/trim_imports.ts deploy/trim_imports.ts
# No embedded server, no package of the tests. The first install takes them out of deno.lock, which the second holds to.
RUN deno run --no-config --no-lock --allow-read=. --allow-write=deno.json deploy/trim_imports.ts
RUN deno install --node-modules-dir=none --entrypoint main.ts
RUN deno install --node-modules-dir=none --frozen --entrypoint main.ts

FROM denoland/deno:2.9.6
ENV DENO_DIR=/deno-dir HOST=0.0.0.0 PORT=8000
WORKDIR /app
COPY --from=dependencies --chown=deno:deno /deno-dir /deno-dir
COPY --from=dependencies /app ./
COPY db db
USER deno
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["deno", "eval", "--no-config", "Deno.exit((await fetch('http://127.0.0.1:8000/livez')).ok ? 0 : 1)"]
ENTRYPOINT ["deno", "run", "-q", "--cached-only", "--node-modules-dir=none", "--no-prompt", "-P=service", "main.ts"]
CMD ["start"]

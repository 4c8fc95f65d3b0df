// A provider of OpenID Connect that somebody else wrote, with its own sign-in pages: whoever types a name of `people` is it.
//
// node oidc_provider.mjs PACKAGE '{"port", "key", "certificate", "client", "secret", "back", "people": {NAME: [ROLE…]}}'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { pathToFileURL } from 'node:url';

const [, , folder, text] = process.argv;
const { default: Provider } = await import(pathToFileURL(`${folder}/lib/index.js`));
const { port, key, certificate, client, secret, back, people } = JSON.parse(text);

const provider = new Provider(`https://localhost:${port}`, {
  clients: [{ client_id: client, client_secret: secret, redirect_uris: [back], response_types: ['code'] }],
  claims: { openid: ['sub'], profile: ['realm_access'] },
  conformIdTokenClaims: false, // claims stand in the ID token, as with most providers
  cookies: { keys: ['a key of the test'] },
  pkce: { methods: ['S256'], required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, realm_access: { roles: people[id] ?? [] } }),
  }),
});
createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, provider.callback())
  .listen(port, '127.0.0.1', () => console.log('listening'));

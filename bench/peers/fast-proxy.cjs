/** fast-proxy with keep-alive agents of node:http. */
const { createServer } = require('node:http');
const { listen, maxSockets, nextBackend, requirePeer } = require('./setting.cjs');

const { proxy } = requirePeer('fast-proxy')({ maxSockets, keepAliveMsecs: 60_000 });
listen(createServer((request, response) => proxy(request, response, request.url, { base: nextBackend() })));

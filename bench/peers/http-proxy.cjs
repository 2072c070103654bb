/** http-proxy with a keep-alive agent of node:http. */
const { Agent, createServer } = require('node:http');
const { listen, maxSockets, nextBackend, requirePeer } = require('./setting.cjs');

const agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets });
const proxy = requirePeer('http-proxy').createProxyServer({ agent, xfwd: true });
proxy.on('error', (_error, _request, response) => {
  if (!response.headersSent) response.writeHead?.(502);
  response.end();
});
listen(createServer((request, response) => proxy.web(request, response, { target: nextBackend() })));

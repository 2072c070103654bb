/**
 * What the peers have in common, as their scripts are told by the environment: PEERS_FOLDER, where the packages are
 * installed; BACKENDS, three ports of this machine; MAX_SOCKETS for each of them.
 */
const { join } = require('node:path');
const { createRequire } = require('node:module');

/** Smooth weighted round robin over weights 5, 1 and 1. */
const TURNS = [0, 0, 1, 0, 2, 0, 0];
const backends = process.env.BACKENDS.split(' ').map((port) => `http://127.0.0.1:${port}`);
let turn = 0;

exports.maxSockets = Number(process.env.MAX_SOCKETS);
exports.requirePeer = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));

exports.nextBackend = () => {
  turn = (turn + 1) % TURNS.length;
  return backends[TURNS[turn]];
};

/** Serves on a free port, keeps idle connections open, and says where it is. */
exports.listen = (server) => {
  server.keepAliveTimeout = 3_600_000;
  server.requestTimeout = 0;
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
    console.log(`listening on ${server.address().port}`);
  });
};

/** Backends as URLs want them. */
import { hostAndPort } from './config/hosts.ts';

/** The origin of a backend, such as `http://127.0.0.1:8001`. */
export function originOf(backend: { protocol: 'http' | 'https'; host: string; port: number }): string {
  return `${backend.protocol}://${hostAndPort(backend.host, backend.port)}`;
}

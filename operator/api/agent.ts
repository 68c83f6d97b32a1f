// What is used of undici and no more: its index also loads fetch, WebSockets, caches and mocks, 0.9 MB of source.
import calls from 'undici/lib/api/index.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'

Object.assign(Dispatcher.prototype, calls) // as its index does

/** Connections to servers, as undici documents them. */
export { Agent }

//! HTTP: routes, keys, server-sent events and the one table of status codes.

package api

import "time"

// PingEvery makes the API look after its terminals more often.
func (a *API) PingEvery(d time.Duration) { a.ping = d }

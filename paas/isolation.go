package paas

import "time"

// Isolation is an app's report card: what its code was measured to be able to
// do, in one of its replicas and in a container that is like them.
type Isolation struct {
	Replica    string           `json:"replica"` // in which was measured
	Release    int              `json:"release"`
	MeasuredAt time.Time        `json:"measured_at"`
	OK         bool             `json:"ok"` // every check is
	Checks     []IsolationCheck `json:"checks"`
}

// IsolationCheck is one wall around an app's code.
type IsolationCheck struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Says  string `json:"says"`  // what was measured, one sentence
	Where string `json:"where"` // replica, or twin: a fresh container of the same release, for what would harm a replica
}

package paas

import "time"

// Decision is what the autoscaler wanted at a time, with its reason. Valid is
// false where the figures did not allow one: no data is never "scale to 0".
type Decision struct {
	Tenant string             `json:"tenant"`
	App    string             `json:"app"`
	At     time.Time          `json:"at"`
	Policy string             `json:"policy"`
	From   int                `json:"from"`
	To     int                `json:"to"`
	Valid  bool               `json:"-"`
	Reason string             `json:"reason"`
	Inputs map[string]float64 `json:"inputs"`
}

// ScaledApp is an app that the autoscaler looks after.
type ScaledApp struct {
	Tenant, App string
	Desired     int       // replicas wanted
	Asleep      bool      // it wants 0 by a decision, and a request wakes it
	Release     int       // live release
	Deploying   bool      // a release is being started
	Decided     time.Time // of the last decision; zero: none
	Concurrency int       // requests that a replica works on at once as its start command says; 0: not known
	Policy      Policy
}

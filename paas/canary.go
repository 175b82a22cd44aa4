package paas

import "fmt"

// Canary is a release that gets a share of an app's requests beside the live
// one. The zero value is none.
type Canary struct {
	Release int `json:"release"`
	Share   int `json:"share"` // percent of the clients
}

// CheckShare returns *Invalid where a canary cannot have the share.
func CheckShare(share int) error {
	if share < 1 || share > 99 {
		return &Invalid{Reason: fmt.Sprintf("A canary cannot have %d %% of the requests: use 1 to 99, and promote it for all of them.", share)}
	}
	return nil
}

// Replicas returns how many replicas the canary needs of an app that wants
// desired: its share, rounded up.
func (c Canary) Replicas(desired int) int { return (desired*c.Share + 99) / 100 }

package faults

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// frame is what the tests read of the dashboard's frames.
type frame struct {
	Snapshot bool `json:"snapshot"`
	Total    *struct {
		Requests int `json:"requests"`
		Logs     int `json:"logs"`
	} `json:"total"`
	Points []struct {
		Second   int64 `json:"t"`
		Requests int   `json:"req"`
	} `json:"points"`
}

// snapshot returns the first frame that the live view of app sends.
func (in *installation) snapshot(app string) (f frame, err error) {
	dialer := websocket.Dialer{HandshakeTimeout: 5 * time.Second}
	conn, _, err := dialer.Dial("ws://"+in.live+"/api/live?app="+app, http.Header{"Authorization": {"Bearer " + in.token}})
	if err != nil {
		return f, fmt.Errorf("opening the live view of %s: %w", app, err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if err := conn.ReadJSON(&f); err != nil {
		return f, fmt.Errorf("reading the live view of %s: %w", app, err)
	}
	return f, nil
}

// shown checks that the live view counts each request of app once.
func (in *installation) shown(app string, n int) {
	in.t.Helper()
	eventually(in.t, arrival, func() error {
		f, err := in.snapshot(app)
		if err != nil {
			return err
		}
		points := 0
		for _, p := range f.Points {
			points += p.Requests
		}
		if f.Total == nil || f.Total.Requests != n || points != n {
			return fmt.Errorf("the live view counts %+v requests of %s and %d in its points; %d were sent", f.Total, app, points, n)
		}
		return nil
	})
}

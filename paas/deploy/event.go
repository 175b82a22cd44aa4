package deploy

import (
	"encoding/json"
	"time"

	"kurama/logship/record"
)

// The events that the Deployer tells of.
const (
	eventDeployed     = "deployed"
	eventDeployFailed = "deploy_failed"
	eventScaled       = "scaled"
	eventRestarted    = "restarted"
	eventCrashed      = "crashed"
	eventOOMKilled    = "oom_killed"
	eventStopped      = "stopped"
	eventSlowed       = "slowed"
	eventFreed        = "freed"
	eventRolledBack   = "rolled_back"
)

// tell sends an event about an app; replica may be empty.
func (d *Deployer) tell(k key, release int, replica, event, msg string) {
	level := record.LevelInfo
	switch event {
	case eventDeployFailed, eventCrashed, eventOOMKilled, eventRolledBack:
		level = record.LevelError
	case eventSlowed:
		level = record.LevelWarning
	}
	now := time.Now().UTC()
	extra, err := json.Marshal(map[string]string{"event": event})
	if err != nil {
		d.Log.Error("event", "error", err)
		return
	}
	d.Events.Send(&record.Record{Time: now, ID: record.NewID(now), Kind: record.KindEvent, Level: level,
		Tenant: k.tenant, App: k.app, Release: release, Replica: replica, Msg: msg, Extra: extra})
}

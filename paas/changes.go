package paas

// ReleaseChanges is what is different in a release from an earlier one. Values
// of settings are not part of it.
type ReleaseChanges struct {
	Release  int              `json:"release"`
	Against  int              `json:"against"`
	Files    *FileChanges     `json:"files" doc:"Null where one of the sources is no longer kept"`
	Settings *SettingsChanges `json:"settings" doc:"Names alone; null for who may not look at settings"`
	Layer    bool             `json:"layer" doc:"The dependencies are others"`
	Start    bool             `json:"start" doc:"It is started in another way"`
	Limits   bool             `json:"limits" doc:"Its replicas have other limits"`
}

// Same reports whether nothing is different.
func (c ReleaseChanges) Same() bool {
	files := c.Files == nil || c.Files.Added+c.Files.Changed+c.Files.Removed == 0
	settings := c.Settings == nil || len(c.Settings.Added)+len(c.Settings.Changed)+len(c.Settings.Removed) == 0
	return files && settings && !c.Layer && !c.Start && !c.Limits
}

// FileChanges counts the files of a source that are different, and names the
// first of them.
type FileChanges struct {
	Added   int          `json:"added"`
	Changed int          `json:"changed"`
	Removed int          `json:"removed"`
	Files   []FileChange `json:"files" doc:"By path; at most 200"`
}

// FileChange is one file that is different.
type FileChange struct {
	Path string `json:"path"`
	What string `json:"what" enum:"added,changed,removed"`
}

// SettingsChanges names the settings that are different.
type SettingsChanges struct {
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
}

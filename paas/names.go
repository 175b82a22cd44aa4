package paas

import (
	"fmt"
	"regexp"
)

var namePattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)

// CheckName reports why name cannot be the name of a tenant or an app: it
// becomes part of a host name and of file names.
func CheckName(what, name string) error {
	if !namePattern.MatchString(name) || len(name) > 40 {
		return fmt.Errorf("%q cannot be the name of %s: use 1 to 40 of a-z, 0-9 and '-', starting with a letter and not ending with '-'", name, what)
	}
	return nil
}

// Hosts returns the host names that an app answers on under domain.
func Hosts(tenant, app, domain string) []string {
	hosts := []string{app + "." + tenant + "." + domain}
	if tenant == DefaultTenant {
		hosts = append([]string{app + "." + domain}, hosts...)
	}
	return hosts
}

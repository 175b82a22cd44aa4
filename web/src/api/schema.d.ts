// Made from openapi.json by `make types`: do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptRequestBody: {
            name: string;
            password: string;
            /** @description Last part of the link */
            secret: string;
        };
        AppView: {
            /** @description Where it answers */
            address: string;
            canary?: components["schemas"]["Canary"];
            /** Format: date-time */
            created_at: string;
            /** Format: int64 */
            desired: number;
            /** @description The newest, live or not; null before the first */
            last_release: components["schemas"]["Release"];
            name: string;
            /**
             * Format: int64
             * @description Replicas that are healthy, without those of a canary
             */
            ready: number;
            reason?: string;
            /** Format: int64 */
            release: number;
            replicas: components["schemas"]["Replica"][] | null;
            runtime?: string;
            state: string;
            tenant: string;
            /**
             * Format: int64
             * @description Replicas of the canary that are healthy
             */
            trying: number;
            /** Format: date-time */
            updated_at: string;
        };
        AppViews: {
            apps: components["schemas"]["AppView"][] | null;
        };
        ArchiveFile: {
            /** Format: int64 */
            bytes: number;
            /** Format: date-time */
            from: string;
            name: string;
            /** Format: int64 */
            records: number;
            sha256: string;
            /** Format: date-time */
            to: string;
        };
        ArchiveLimits: {
            /**
             * Format: int64
             * @description Bytes beyond which the oldest files go; 0: no bound
             */
            max_bytes: number;
            /**
             * Format: int64
             * @description Seconds after which files are deleted
             */
            retention: number;
        };
        ArchiveList: {
            /** Format: int64 */
            bytes: number;
            files: components["schemas"]["ArchiveFile"][] | null;
            /**
             * Format: date-time
             * @description Of the oldest record; null while there is none
             */
            from: string | null;
            /** Format: int64 */
            records: number;
            /**
             * Format: int64
             * @description Records that went because the tenant's archive was full
             */
            removed_records: number;
            /** Format: date-time */
            to: string | null;
        };
        ArchiveState: {
            apps: components["schemas"]["ArchiveUse"][] | null;
            /** Format: int64 */
            bytes: number;
            limits: components["schemas"]["ArchiveLimits"];
            /** @description Whether the operator has set them for this tenant alone */
            own: boolean;
        };
        ArchiveUse: {
            app: string;
            /** Format: int64 */
            bytes: number;
            /** Format: int64 */
            files: number;
            /** Format: int64 */
            records: number;
            /**
             * Format: int64
             * @description Records that went because the tenant's archive was full
             */
            removed_records: number;
        };
        Asked: {
            /** Format: int64 */
            apps: number;
            /** Format: double */
            cpu: number;
            /** Format: int64 */
            memory: number;
            /** Format: int64 */
            replicas: number;
            tenant: string;
        };
        AutoRollback: {
            auto: boolean;
            /**
             * Format: double
             * @description Percentage points by which more requests of a route fail
             */
            errors: number;
            /**
             * Format: double
             * @description Percent of its limit by which a replica holds more on average
             */
            memory: number;
            /**
             * Format: double
             * @description How many times the former p95 of a route
             */
            p95: number;
            /**
             * Format: double
             * @description Seconds after a release went live in which it is watched; a canary is watched as long as it is one
             */
            within: number;
        };
        AutoRollbackChange: {
            auto?: boolean;
            /**
             * Format: double
             * @description Percentage points, 0.1 to 100
             */
            errors?: number;
            /**
             * Format: double
             * @description Percent of the limit, 1 to 100
             */
            memory?: number;
            /**
             * Format: double
             * @description Times, 1.1 to 100
             */
            p95?: number;
            /**
             * Format: double
             * @description Seconds, 60 to 3600
             */
            within?: number;
        };
        Bounds: {
            /** Format: double */
            idle?: number;
            /** Format: int64 */
            max_body?: number;
            /** Format: double */
            timeout?: number;
        };
        Branch: {
            /** @description This level or above */
            level?: string;
            /** @description Exactly this route; with * at its end each that begins so */
            route?: string;
            /**
             * Format: double
             * @description This part of them, above 0 and below 1; a request and its lines are kept together. 0: all
             */
            sample?: number;
            /** @description A condition on the record, as in count(…) of an alert: level >= ERROR and dur > 1s */
            when?: string;
        };
        Canary: {
            /** Format: int64 */
            release: number;
            /** Format: int64 */
            share: number;
        };
        CanaryShareBody: {
            /**
             * Format: int64
             * @description Percent of the clients, 1 to 99
             */
            share: number;
        };
        Collected: {
            /**
             * Format: int64
             * @description Bytes that the disk has more than before
             */
            freed: number;
        };
        Comparison: {
            /**
             * Format: int64
             * @description 0: no other was live
             */
            against: number;
            /**
             * Format: date-time
             * @description Begin of the requests of the release that are looked at
             */
            from: string;
            memory: components["schemas"]["MemoryComparison"];
            /** Format: int64 */
            release: number;
            /** @description What is worse first, then by requests */
            routes: components["schemas"]["RouteComparison"][] | null;
            says: string;
            /** Format: date-time */
            to: string;
            /** @enum {string} */
            verdict: "worse" | "fine" | "few";
        };
        Course: {
            events: components["schemas"]["CourseEvent"][] | null;
            /** Format: date-time */
            from: string;
            points: components["schemas"]["CoursePoint"][] | null;
            /**
             * Format: double
             * @description Length of a step in seconds
             */
            step: number;
            /** Format: date-time */
            to: string;
        };
        CourseEvent: {
            /** Format: date-time */
            at: string;
            event: string;
            msg: string;
        };
        CoursePoint: {
            /**
             * Format: date-time
             * @description Begin of the step
             */
            at: string;
            /**
             * Format: double
             * @description Of the busiest replica, in percent of its limit; as the next three
             */
            cpu: number | null;
            /** Format: double */
            disk: number | null;
            /**
             * Format: double
             * @description Answers of 500 and above per second
             */
            errors: number;
            /**
             * Format: double
             * @description Requests in flight, the highest of the step
             */
            inflight: number | null;
            /** Format: double */
            mem: number | null;
            /**
             * Format: double
             * @description ms, as the next two
             */
            p50: number | null;
            /** Format: double */
            p95: number | null;
            /** Format: double */
            p99: number | null;
            /**
             * Format: double
             * @description Requests that waited, the highest of the step
             */
            queued: number | null;
            /**
             * Format: double
             * @description Requests per second
             */
            rate: number;
            /** Format: double */
            replicas: number | null;
            /** Format: double */
            swap: number | null;
        };
        "Create-tenantRequest": {
            name: string;
        };
        CronJob: {
            /** @description Line for the shell */
            command: string;
            name: string;
            /** @description It may begin while its run before still works */
            overlap: boolean;
            /** @description Five fields as in crontab(5), or @daily and its like; UTC unless CRON_TZ=ZONE comes first */
            schedule: string;
            /**
             * Format: double
             * @description Seconds; 0: as long as cron.timeout allows
             */
            timeout: number;
        };
        CronJobView: {
            /** @description Line for the shell */
            command: string;
            /** @description Its newest run; null before the first */
            last: components["schemas"]["CronRun"];
            name: string;
            /**
             * Format: date-time
             * @description When it runs next; null while the app is stopped
             */
            next: string | null;
            /** @description It may begin while its run before still works */
            overlap: boolean;
            /** @description Five fields as in crontab(5), or @daily and its like; UTC unless CRON_TZ=ZONE comes first */
            schedule: string;
            /**
             * Format: double
             * @description Seconds; 0: as long as cron.timeout allows
             */
            timeout: number;
        };
        CronRun: {
            /** @description Who asked for it; left out for the schedule */
            by?: string;
            /**
             * Format: int64
             * @description How many runs were missed
             */
            count?: number;
            /** Format: date-time */
            due_at: string;
            /** Format: date-time */
            ended_at?: string;
            /**
             * Format: int64
             * @description Exit code of the command; left out where it has none
             */
            exit?: number;
            /** Format: int64 */
            id: number;
            job: string;
            outcome: string;
            /** Format: int64 */
            release: number;
            /** @description Its last lines, or why it did not run */
            said?: string;
            /** Format: date-time */
            started_at?: string;
        };
        CronView: {
            jobs: components["schemas"]["CronJobView"][] | null;
            /** @description Newest first, also those of jobs that are gone */
            runs: components["schemas"]["CronRun"][] | null;
        };
        DatabaseAnswer: {
            /** @description null: the app has none */
            database: components["schemas"]["DatabaseView"];
        };
        DatabaseSizeBody: {
            /**
             * Format: int64
             * @description Bytes that it may hold; the installation's usual size where left out
             */
            size?: number;
        };
        DatabaseURL: {
            /** @description As the app finds it in DATABASE_URL */
            url: string;
        };
        DatabaseView: {
            /** Format: date-time */
            created_at: string;
            /** @description Of the database, and of the role that owns what is in it; it says nothing of the app, because each role of the cluster sees the names of all */
            name: string;
            /** @description What is wrong with it, and what to do; empty: nothing */
            says: string;
            /**
             * Format: int64
             * @description Bytes that it may hold
             */
            size: number;
            /** @enum {string} */
            state: "open" | "full" | "closed";
            /**
             * Format: int64
             * @description Bytes that it held when it was last measured; null: not yet
             */
            used: number | null;
        };
        Decision: {
            app: string;
            /** Format: date-time */
            at: string;
            /** Format: int64 */
            from: number;
            inputs: {
                [key: string]: number;
            };
            policy: string;
            reason: string;
            tenant: string;
            /** Format: int64 */
            to: number;
        };
        DecisionList: {
            decisions: components["schemas"]["Decision"][] | null;
        };
        DeedList: {
            /**
             * Format: int64
             * @description Parameter for the next page; 0: this is the last
             */
            before: number;
            deeds: components["schemas"]["DeedView"][] | null;
        };
        DeedView: {
            action: string;
            address: string;
            app?: string;
            /** Format: date-time */
            at: string;
            detail?: string;
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            status: number;
            /** @description What the action does */
            summary: string;
            target: string;
            tenant: string;
            via: string;
            who: string;
        };
        DiskReport: {
            /** Format: int64 */
            free: number;
            /** Format: int64 */
            refuse: number;
            says: string;
            shared?: {
                [key: string]: number;
            };
            /** Format: int64 */
            size: number;
            /** Format: int64 */
            spare?: number;
            tenants: components["schemas"]["DiskUse"][] | null;
            /** Format: int64 */
            warn: number;
        };
        DiskUse: {
            /** Format: int64 */
            archive: number;
            /** Format: int64 */
            databases: number;
            /** Format: int64 */
            layers: number;
            /** Format: int64 */
            output: number;
            /** Format: int64 */
            releases: number;
            tenant: string;
            /** Format: int64 */
            total: number;
            /** Format: int64 */
            volumes: number;
            /** Format: int64 */
            wheels: number;
        };
        Domain: {
            /** @description It leads to the app: its tenant has shown that the host is theirs */
            active: boolean;
            /** Format: date-time */
            checked_at?: string;
            domain: string;
            /** @description Why it is not active, and what to do */
            says?: string;
        };
        Egress: {
            allow: string[];
            /** @enum {string} */
            mode: "open" | "listed" | "none";
        };
        EgressView: {
            /** @description Names, IPv4 addresses or ranges, each with ports after a colon or all of them */
            allow: string[];
            /** @enum {string} */
            mode: "open" | "listed" | "none";
            /** @description What the listed names stand for at present; asked again every 30 s */
            names: components["schemas"]["Lookup"][];
            /** @description Whether the operator has set it for this tenant alone */
            own: boolean;
        };
        EnvVars: {
            vars: {
                [key: string]: string;
            };
        };
        FileChange: {
            path: string;
            /** @enum {string} */
            what: "added" | "changed" | "removed";
        };
        FileChanges: {
            /** Format: int64 */
            added: number;
            /** Format: int64 */
            changed: number;
            /** @description By path; at most 200 */
            files: components["schemas"]["FileChange"][] | null;
            /** Format: int64 */
            removed: number;
        };
        HPANumbers: {
            /** Format: double */
            cpu: number;
            /** Format: double */
            down_percent: number;
            /** Format: double */
            down_window: number;
            /** Format: double */
            tolerance: number;
            /** Format: double */
            up_percent: number;
            /** Format: double */
            up_replicas: number;
            /** Format: double */
            utilization: number;
        };
        HostFigures: {
            /** Format: double */
            cpu: number | null;
            /** Format: double */
            disk: number | null;
            /** Format: double */
            mem: number | null;
            /** Format: double */
            swap: number | null;
        };
        HostState: {
            /**
             * Format: date-time
             * @description Begin of the ten seconds that the figures are the means of
             */
            at: string;
            /** Format: double */
            cpu: number | null;
            /** Format: double */
            disk: number | null;
            /** Format: double */
            mem: number | null;
            name: string;
            /** Format: double */
            swap: number | null;
        };
        Invitation: {
            /** Format: date-time */
            accepted_at?: string;
            accepted_by?: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            email: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            role: string;
            tenant: string;
        };
        InvitationList: {
            invitations: components["schemas"]["Invitation"][] | null;
        };
        InvitationPreview: {
            email: string;
            /** Format: date-time */
            expires_at: string;
            invited_by: string;
            role: string;
            tenant: string;
        };
        Isolation: {
            checks: components["schemas"]["IsolationCheck"][] | null;
            /** Format: date-time */
            measured_at: string;
            ok: boolean;
            /** Format: int64 */
            release: number;
            replica: string;
        };
        IsolationCheck: {
            name: string;
            ok: boolean;
            says: string;
            where: string;
        };
        JoinByProviderBody: {
            /** @description Last part of the invitation's link */
            invitation: string;
        };
        Limits: {
            /** Format: double */
            cpu: number;
            /** Format: int64 */
            disk: number;
            /** Format: int64 */
            memory: number;
            /** Format: int64 */
            nofile: number;
            /** Format: int64 */
            pids: number;
        };
        LoadTest: {
            /**
             * Format: int64
             * @description Requests that ended, well or not
             */
            answered: number;
            /** Format: date-time */
            began: string;
            /** @description Who began it */
            by: string;
            /**
             * Format: date-time
             * @description As planned; once it is over, when it ended
             */
            ends: string;
            /**
             * Format: int64
             * @description Of them
             */
            failed: number;
            /** @description Whether all conditions hold; null while it runs, or without any */
            holds: boolean | null;
            /** Format: int64 */
            id: number;
            /**
             * Format: double
             * @description ms
             */
            p50: number;
            /**
             * Format: double
             * @description ms
             */
            p95: number;
            /**
             * Format: double
             * @description ms
             */
            p99: number;
            /**
             * Format: double
             * @description Answers per second, lately; in the end over the run
             */
            rate: number;
            /** @description The simulator's report once the run is over */
            report?: unknown;
            /** @description As it was given */
            scenario?: string;
            /** @description While it runs: its last two minutes second by second, in the form of the report's */
            series?: unknown;
            shape: string;
            /** @enum {string} */
            state: "running" | "done" | "stopped";
            /**
             * Format: double
             * @description Requests per second that are planned now; in the end the most of the plan
             */
            wanted: number;
        };
        LoadTestList: {
            load_tests: components["schemas"]["LoadTest"][] | null;
        };
        LoadTestRequestBody: {
            /** @description conditions such as p95 < 75ms */
            ensure?: string[] | null;
            /** @description such as /search?q=fox; without any, / */
            paths?: string[] | null;
            /**
             * Format: double
             * @description requests per second at the top of ramp, spike and sine
             */
            peak?: number;
            /**
             * Format: double
             * @description requests per second
             * @default 10
             */
            rate: number;
            /** @description A scenario of the simulator in YAML, in place of what follows; it goes to this app and reads no files */
            scenario?: string;
            /**
             * Format: int64
             * @default 60
             */
            seconds: number;
            /**
             * @default constant
             * @enum {string}
             */
            shape: "constant" | "ramp" | "spike" | "sine" | "poisson";
        };
        LookRequestBody: {
            /** @description Last part of the link */
            secret: string;
        };
        Lookup: {
            addresses: string[];
            name: string;
            says: string;
        };
        MemoryComparison: {
            /** Format: double */
            before_mean: number | null;
            /** Format: double */
            before_peak: number | null;
            /** Format: double */
            mean: number | null;
            /** Format: double */
            peak: number | null;
            says: string;
            worse: boolean;
        };
        Message: {
            message: string;
        };
        NewInvitationBody: {
            /** @description Where the link is sent; without it, hand the link over yourself */
            email?: string;
            /**
             * Format: int64
             * @description Seconds; without it console.invite_age
             */
            expires_in?: number;
            role: string;
        };
        NewRule: {
            condition: string;
            /**
             * Format: double
             * @description Seconds that it must hold
             */
            for?: number;
            /**
             * Format: double
             * @description Seconds that it goes on firing after the condition has ended
             */
            keep_firing?: number;
            /** @description An e-mail address, or a webhook: https://… or slack:https://… */
            receiver: string;
            /**
             * Format: double
             * @description Seconds between reminders while it fires; 0: none
             */
            repeat?: number;
        };
        NewRuntimeBody: {
            /** @description One of those that the operator allows; empty: the installation's */
            runtime: string;
        };
        NewSilence: {
            /** @description Id of the alert; empty: all of the app's */
            alert?: string;
            comment?: string;
            /** Format: date-time */
            ends_at: string;
            /**
             * Format: date-time
             * @description Default: now
             */
            starts_at?: string;
        };
        NewTokenBody: {
            /** @description The one app it is for; without it, each */
            app?: string;
            /**
             * Format: int64
             * @description Seconds; without it the token does not expire
             */
            expires_in?: number;
            name: string;
            /** @description At most one's own; without it one's own, but no more than developer */
            role?: string;
            /** @description What it may do of what the role may: read, deploy, env, run, live (the live dashboard); without any, all of it */
            scopes?: string[] | null;
        };
        NewUserBody: {
            name: string;
            password: string;
            role: string;
        };
        NewVolumeBody: {
            /** @description Folder below the app's source, such as instance */
            path: string;
            /**
             * Format: int64
             * @description Bytes; 256 MiB where left out
             */
            size?: number;
        };
        Notification: {
            /** Format: int64 */
            attempts: number;
            body_text: string;
            /** Format: date-time */
            created_at: string;
            error: string;
            id: string;
            /** @description firing, resolved or test */
            kind: string;
            recipient: string;
            /** Format: date-time */
            sent_at: string | null;
            /** @description pending, sent, outbox (no mail server is configured), failed, suppressed (beyond the messages per hour) or grouped (told in another message) */
            state: string;
            subject: string;
        };
        NotificationList: {
            notifications: components["schemas"]["Notification"][] | null;
        };
        Number: {
            /** Format: double */
            default: number;
            /** Format: double */
            high: number;
            /** Format: double */
            low: number;
            name: string;
            policy: string;
            unit: string;
            what: string;
        };
        Pipeline: {
            alert?: components["schemas"]["Stage"];
            archive?: components["schemas"]["Stage"];
            dashboard?: components["schemas"]["Stage"];
            persist?: components["schemas"]["Stage"];
            profile?: components["schemas"]["Stage"];
            receivers?: components["schemas"]["Receiver"][];
        };
        PipelineFlow: {
            /** Format: date-time */
            at: string;
            parts: components["schemas"]["PipelinePart"][] | null;
        };
        PipelinePart: {
            /**
             * Format: double
             * @description Attempts that failed since it started, of all apps
             */
            errors: number | null;
            /**
             * Format: double
             * @description Batches, of all apps, that wait for it
             */
            lag: number | null;
            /**
             * Format: double
             * @description Records of the app that its branches kept from it since then
             */
            left: number | null;
            /** @description Of the role */
            name: string;
            ready: boolean;
            /**
             * Format: double
             * @description Records of the app that it has taken since it began to count them; null until it counts
             */
            taken: number | null;
        };
        PipelineView: {
            /** @description The live release's kurama.yaml sets the pipeline, and the next deploy sets it again */
            declared: boolean;
            pipeline: components["schemas"]["Pipeline"];
            /** @description The same as it stands in kurama.yaml */
            yaml: string;
        };
        PlatformCapacity: {
            /**
             * Format: int64
             * @description Of the host of this console
             */
            cores: number;
            /** @description That told of themselves within five minutes */
            hosts: components["schemas"]["HostState"][] | null;
            /**
             * Format: int64
             * @description Of the host of this console, bytes
             */
            memory: number;
            /** @description What the desired replicas of each tenant ask for, the most CPU first */
            tenants: components["schemas"]["Asked"][] | null;
        };
        PlatformStatus: {
            host: components["schemas"]["HostFigures"];
            roles: components["schemas"]["RoleStatus"][] | null;
        };
        Policy: {
            /** Format: double */
            concurrency: number;
            /** Format: double */
            cooldown: number;
            hpa: components["schemas"]["HPANumbers"];
            /** Format: double */
            load_down: number;
            /** Format: double */
            load_up: number;
            /** Format: double */
            load_window: number;
            /** Format: int64 */
            max: number;
            /** Format: int64 */
            min: number;
            name: string;
            schedule: string;
            step: components["schemas"]["StepNumbers"];
            swift: components["schemas"]["SwiftNumbers"];
            target: components["schemas"]["TargetNumbers"];
            /** Format: double */
            time_up: number;
            /** Format: double */
            time_window: number;
        };
        PolicyChange: {
            /**
             * Format: double
             * @description requests that one replica works on at once; 0: as its start command says
             */
            concurrency?: number;
            /**
             * Format: double
             * @description s
             */
            cooldown?: number;
            hpa?: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description percent
             */
            load_down?: number;
            /**
             * Format: double
             * @description percent
             */
            load_up?: number;
            /**
             * Format: double
             * @description s
             */
            load_window?: number;
            /** Format: int64 */
            max?: number;
            /** Format: int64 */
            min?: number;
            /** @description One of those that /policies lists */
            name?: string;
            /** @description smallest numbers at set times in UTC: Mon-Fri 08:00-18:00 3; Sat 10:00-14:00 2 */
            schedule?: string;
            step?: {
                [key: string]: number;
            };
            swift?: {
                [key: string]: number;
            };
            target?: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description ms
             */
            time_up?: number;
            /**
             * Format: double
             * @description s
             */
            time_window?: number;
        };
        PolicyList: {
            policies: components["schemas"]["PolicyView"][] | null;
        };
        PolicyView: {
            name: string;
            numbers: components["schemas"]["Number"][] | null;
            source: string;
            what: string;
        };
        PreviewPoint: {
            holds: boolean;
            /** Format: date-time */
            t: string;
            /**
             * Format: double
             * @description Null where it was not known
             */
            v: number | null;
        };
        PreviewRuleBody: {
            condition: string;
            /**
             * Format: double
             * @description Seconds that it must hold
             */
            for?: number;
        };
        Problem: {
            /**
             * Format: int64
             * @description That place, in characters from 1
             */
            at?: number;
            /** @description What happened, why, and what to do */
            detail: string;
            /**
             * Format: int64
             * @description HTTP status
             */
            status: number;
            /** @description What was written, where the problem is about a place in it */
            text?: string;
            /** @description Short summary, the same for each problem of this status */
            title: string;
        };
        ProfileView: {
            /** Format: date-time */
            from: string;
            /**
             * Format: int64
             * @description The one before it within a week, that before_… are of; 0: none
             */
            previous_release: number;
            /**
             * Format: int64
             * @description The newest with requests in the window; 0: none
             */
            release: number;
            routes: components["schemas"]["RouteProfile"][] | null;
            /** @description At most ten, the slowest first */
            slowest_by_mean: components["schemas"]["RouteProfile"][] | null;
            /** @description At most ten, the slowest first */
            slowest_by_p95: components["schemas"]["RouteProfile"][] | null;
            /** Format: date-time */
            to: string;
            /** @description All routes together */
            total: components["schemas"]["RouteProfile"];
            window: string;
        };
        ProviderStart: {
            /** @description Where to send the browser */
            location: string;
        };
        ProviderView: {
            enabled: boolean;
            /** @description Of the provider, for the button */
            name: string;
            /** @description Where the button leads; POST there with the secret of an invitation joins by it */
            start: string;
        };
        Quota: {
            /** Format: int64 */
            apps: number;
            /** Format: double */
            build_minutes?: number;
            /** Format: double */
            cpu: number;
            /** Format: int64 */
            cpu_weight?: number;
            /** Format: int64 */
            disk?: number;
            /** Format: int64 */
            log_bytes?: number;
            /** Format: int64 */
            memory: number;
            /** Format: int64 */
            replicas: number;
        };
        QuotaView: {
            /**
             * Format: int64
             * @description Records of today that were dropped beyond log_bytes
             */
            log_dropped: number;
            /** @description Whether the operator has set it for this tenant alone */
            own: boolean;
            /** @description Bounds; 0: none */
            quota: components["schemas"]["Quota"];
            /** @description What the tenant's apps ask for now; log_bytes: what they have logged today */
            use: components["schemas"]["Quota"];
        };
        Receiver: {
            /**
             * Format: double
             * @description Seconds that it must hold
             */
            for?: number;
            /**
             * Format: double
             * @description Seconds that it goes on firing after the condition has ended
             */
            keep_firing?: number;
            /**
             * Format: double
             * @description Seconds between reminders while it fires; 0: none
             */
            repeat?: number;
            /** @description An e-mail address, or a webhook: https://… or slack:https://… */
            to: string;
            /** @description Condition of the alert */
            when: string;
        };
        RecordList: {
            /** @description Leads to older records; empty at the end */
            cursor: string;
            records: {
                app?: string;
                bytes?: number | null;
                cpu?: number | null;
                cpu_ms?: number | null;
                db_ms?: number | null;
                disk?: number | null;
                dur?: number | null;
                exc?: string;
                extra?: Record<string, never>;
                /** Format: uuid */
                id?: string;
                kind?: string;
                level?: string | null;
                mem?: number | null;
                method?: string;
                msg?: string;
                queue?: number | null;
                release?: number;
                replica?: string;
                req?: string;
                route?: string;
                status?: number | null;
                swap?: number | null;
                tenant?: string;
                /** Format: date-time */
                ts?: string;
                url?: string | null;
            }[] | null;
        };
        Release: {
            app: string;
            /** Format: date-time */
            canary_at?: string;
            commit?: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            layer: string;
            limits: components["schemas"]["Limits"];
            /** Format: date-time */
            live_at?: string;
            /** Format: int64 */
            number: number;
            reason?: string;
            /** Format: int64 */
            rollback_of?: number;
            rolled_back?: string;
            /** Format: int64 */
            share?: number;
            source_digest: string;
            start: components["schemas"]["Start"];
            state: string;
            tenant: string;
        };
        ReleaseChanges: {
            /** Format: int64 */
            against: number;
            /** @description Null where one of the sources is no longer kept */
            files: components["schemas"]["FileChanges"];
            /** @description The dependencies are others */
            layer: boolean;
            /** @description Its replicas have other limits */
            limits: boolean;
            /** Format: int64 */
            release: number;
            /** @description Names alone; null for who may not look at settings */
            settings: components["schemas"]["SettingsChanges"];
            /** @description It is started in another way */
            start: boolean;
        };
        ReleaseList: {
            releases: components["schemas"]["Release"][] | null;
        };
        ReleaseReceivers: {
            /** @description E-mail addresses and webhooks: https://… or slack:https://… */
            receivers: string[] | null;
        };
        Replica: {
            address: string;
            app: string;
            id: string;
            /** Format: int64 */
            release: number;
            /** Format: int64 */
            restarts: number;
            /** Format: date-time */
            started_at: string;
            state: string;
            tenant: string;
        };
        RoleStatus: {
            detail: string;
            /**
             * Format: double
             * @description Attempts that failed since it started; those of the services are tried again
             */
            errors: number | null;
            /**
             * Format: double
             * @description Batches of records that wait for it: on the stream, or of logship in its spool
             */
            lag: number | null;
            name: string;
            ready: boolean;
            /**
             * Format: double
             * @description Records (of the router: requests) that it took in since it started
             */
            records: number | null;
        };
        RollbackRequestBody: {
            /**
             * Format: int64
             * @description Number to go back to; 0: the one before
             */
            release: number;
        };
        RouteComparison: {
            before: components["schemas"]["RouteSide"];
            method: string;
            now: components["schemas"]["RouteSide"];
            route: string;
            says: string;
            worse: boolean;
        };
        RouteProfile: {
            /** @description The median of the route is above that of the app */
            above_median: boolean;
            /** Format: double */
            before_mean: number | null;
            /**
             * Format: double
             * @description Under the release before; null where it had none
             */
            before_p50: number | null;
            /** Format: double */
            before_p95: number | null;
            /**
             * Format: double
             * @description Of the answer's body, per request
             */
            bytes: number | null;
            /**
             * Format: double
             * @description CPU per request
             */
            cpu_ms: number | null;
            /**
             * Format: double
             * @description Time in calls of database drivers per request; null where none was made
             */
            db_ms: number | null;
            /** Format: int64 */
            errors: number;
            /** Format: double */
            mean: number | null;
            method: string;
            /** Format: double */
            p50: number | null;
            /** Format: double */
            p95: number | null;
            /** Format: double */
            p99: number | null;
            /**
             * Format: double
             * @description Requests per second
             */
            rate: number;
            /** Format: int64 */
            requests: number;
            route: string;
        };
        RouteSide: {
            /**
             * Format: double
             * @description Percent answered with 500 and above
             */
            errors: number | null;
            /**
             * Format: double
             * @description ms; null below 72 requests
             */
            p95: number | null;
            /**
             * Format: double
             * @description to here
             */
            p95_high: number | null;
            /**
             * Format: double
             * @description With a certainty of 95 % the true p95 is from here
             */
            p95_low: number | null;
            /** Format: int64 */
            requests: number;
        };
        RouteTrend: {
            /** @description Response time of each step, ms; null where nobody asked */
            mean: (number | null)[] | null;
            method: string;
            /** @description Of each step */
            requests: number[] | null;
            route: string;
        };
        RoutingChangeBody: {
            /** Format: int64 */
            burst?: number;
            domains?: string[];
            https?: boolean;
            /** Format: double */
            idle?: number;
            maintenance?: boolean;
            /** Format: int64 */
            max_body?: number;
            message?: string;
            password?: string;
            /** Format: double */
            rate?: number;
            /** Format: double */
            timeout?: number;
            /** @description Empty: open to all */
            user?: string;
        };
        RoutingView: {
            /**
             * Format: int64
             * @description Requests that one client may send at once; 0: as rate
             */
            burst: number;
            /** @description Hosts beside the app's own names, and paths below hosts, such as example.org/shop; each belongs to one app */
            domains: string[] | null;
            /** @description What is known of the domains */
            found: components["schemas"]["Domain"][] | null;
            /** @description Requests without TLS are led to https:// */
            https: boolean;
            /**
             * Format: double
             * @description Seconds of silence within an answer or a websocket; 0: no bound
             */
            idle: number;
            /** @description Visitors get a page that says so */
            maintenance: boolean;
            /**
             * Format: int64
             * @description Bytes of a request's body; 0: the platform's
             */
            max_body: number;
            /** @description On that page; empty: the usual one */
            message: string;
            /** @description What the operator allows at the most */
            most: components["schemas"]["Bounds"];
            /**
             * Format: double
             * @description Requests per second of one client; 0: no bound
             */
            rate: number;
            /** @description Text of the DNS record at _kurama.<host> that shows that a host is yours */
            record: string;
            /**
             * Format: double
             * @description Seconds until an answer begins; 0: the platform's
             */
            timeout: number;
            /** @description Name before the password of a private app; empty: open to all */
            user: string;
        };
        Rule: {
            /** @description As written: cpu > 90 */
            condition: string;
            /** Format: date-time */
            created_at: string;
            /**
             * Format: double
             * @description Seconds that it must hold
             */
            for: number;
            id: string;
            /**
             * Format: double
             * @description Seconds that it goes on firing after the condition has ended
             */
            keep_firing: number;
            /** @description An e-mail address, or a webhook: https://… or slack:https://…; viewers see its host alone */
            receiver: string;
            /**
             * Format: double
             * @description Seconds between reminders while it fires; 0: none
             */
            repeat: number;
            /**
             * Format: date-time
             * @description When the state began; null before the first look
             */
            since: string | null;
            /** @description ok, pending or firing */
            state: string;
            /** @description The last figure seen, with its unit */
            value: string;
        };
        RuleList: {
            alerts: components["schemas"]["Rule"][] | null;
        };
        RulePreview: {
            /** @description As it is understood, with units */
            condition: string;
            /**
             * Format: int64
             * @description How often it would have fired
             */
            fired: number;
            /** Format: date-time */
            from: string;
            /**
             * Format: double
             * @description Seconds for which the condition held
             */
            held: number;
            /**
             * Format: double
             * @description What the figure is compared with
             */
            limit: number | null;
            /** @description The figures at the end, in words */
            now: string;
            /** @description One every ten seconds */
            points: components["schemas"]["PreviewPoint"][] | null;
            /** @description The figure that the points show; empty where the condition compares none with a number */
            subject: string;
            /** Format: date-time */
            to: string;
            /** @description %, ms, /s or empty */
            unit: string;
        };
        RunRequestBody: {
            command: string[] | null;
        };
        RuntimeChoice: {
            installed: boolean;
            name: string;
        };
        Runtimes: {
            choices: components["schemas"]["RuntimeChoice"][];
            default: string;
            runtime: string;
        };
        SampleRequestBody: {
            /**
             * Format: double
             * @description Samples a second and thread
             * @default 50
             */
            hz: number;
            /**
             * Format: int64
             * @default 30
             */
            seconds: number;
        };
        SampledRoute: {
            method: string;
            /** Format: double */
            ms: number;
            /** @description Empty: no rule matched, or none had yet */
            route: string;
            /** Format: int64 */
            samples: number;
        };
        SamplingView: {
            message: string;
            /** Format: int64 */
            replicas: number;
            /** Format: date-time */
            until: string;
        };
        ScaleRequestBody: {
            /** Format: int64 */
            replicas: number;
        };
        Session: {
            /** @description Value for X-CSRF-Token; empty for a token */
            csrf: string;
            dashboard_url: string;
            /** @description Apps answer below it */
            domain: string;
            role: string;
            /** Format: int64 */
            router_port: number;
            tenant: string;
            user: string;
        };
        "Set-passwordRequest": {
            new: string;
            old: string;
        };
        "Set-roleRequest": {
            role: string;
        };
        SettingsChanges: {
            added: string[] | null;
            changed: string[] | null;
            removed: string[] | null;
        };
        ShownInvitation: {
            /** Format: date-time */
            accepted_at?: string;
            accepted_by?: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            email: string;
            /** Format: date-time */
            expires_at: string;
            id: string;
            /** @description Where the invitation is accepted, shown this once */
            link: string;
            role: string;
            tenant: string;
        };
        ShownToken: {
            app?: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            /** Format: date-time */
            expires_at?: string;
            id: string;
            name: string;
            role: string;
            scopes?: string[] | null;
            tenant: string;
            /** @description The token itself, shown this once */
            token: string;
            /** Format: date-time */
            used_at?: string;
        };
        SignInBody: {
            name: string;
            password: string;
        };
        Silence: {
            /** @description Id of the alert; empty: all of the app's */
            alert: string;
            comment: string;
            created_by: string;
            /** Format: date-time */
            ends_at: string;
            id: string;
            /** Format: date-time */
            starts_at: string;
        };
        SilenceList: {
            silences: components["schemas"]["Silence"][] | null;
        };
        SlowList: {
            requests: components["schemas"]["SlowRequest"][] | null;
            window: string;
        };
        SlowRequest: {
            /**
             * Format: date-time
             * @description When it ended
             */
            at: string;
            /**
             * Format: double
             * @description ms
             */
            dur: number;
            /** @description Its log records, oldest first, at most twenty; none where the records are gone */
            logs: {
                app?: string;
                bytes?: number | null;
                cpu?: number | null;
                cpu_ms?: number | null;
                db_ms?: number | null;
                disk?: number | null;
                dur?: number | null;
                exc?: string;
                extra?: Record<string, never>;
                /** Format: uuid */
                id?: string;
                kind?: string;
                level?: string | null;
                mem?: number | null;
                method?: string;
                msg?: string;
                queue?: number | null;
                release?: number;
                replica?: string;
                req?: string;
                route?: string;
                status?: number | null;
                swap?: number | null;
                tenant?: string;
                /** Format: date-time */
                ts?: string;
                url?: string | null;
            }[] | null;
            method: string;
            /** Format: int64 */
            release: number;
            /** @description Request id */
            req: string;
            route: string;
            /** Format: int64 */
            status: number;
            url: string;
        };
        StackNode: {
            /**
             * Format: int64
             * @description Index of its name in frames
             */
            frame: number;
            /**
             * Format: double
             * @description Time that these samples stand for
             */
            ms: number;
            /**
             * Format: int64
             * @description Index of an earlier node; -1: none
             */
            parent: number;
            /**
             * Format: int64
             * @description That ended in this frame, its callees' left out
             */
            samples: number;
        };
        StackView: {
            /**
             * Format: int64
             * @description Samples beyond a bound, of which no stack is kept
             */
            dropped: number;
            /** @description function (file:line) */
            frames: string[] | null;
            /** Format: date-time */
            from: string;
            /** Format: double */
            ms: number;
            nodes: components["schemas"]["StackNode"][] | null;
            /** @description All that were sampled, the most time first */
            routes: components["schemas"]["SampledRoute"][] | null;
            /** Format: int64 */
            samples: number;
            /** Format: date-time */
            to: string;
            window: string;
        };
        Stage: {
            /** @description The service takes nothing of the app */
            off?: boolean;
            /**
             * Format: int64
             * @description Of persist and archive: what is older is deleted; 0: as long as the platform keeps it
             */
            retention_days?: number;
            /** @description Branches beside each other: what one of them lets pass is taken; none: everything */
            take?: components["schemas"]["Branch"][] | null;
        };
        Start: {
            bounds?: components["schemas"]["Bounds"];
            command: string[] | null;
            cron?: components["schemas"]["CronJob"][] | null;
            database?: boolean;
            health: string;
            pipeline?: components["schemas"]["Pipeline"];
            release?: string;
            rollback?: components["schemas"]["AutoRollbackChange"];
            shell: boolean;
            static?: components["schemas"]["Static"][] | null;
            volumes?: components["schemas"]["Volume"][] | null;
            why: string;
        };
        Static: {
            /** Format: double */
            cache?: number;
            dir: string;
            path: string;
        };
        StepNumbers: {
            /** Format: double */
            cooldown: number;
            /** Format: double */
            down: number;
            /** Format: double */
            down_for: number;
            /** Format: double */
            up: number;
            /** Format: double */
            up_for: number;
        };
        SwiftNumbers: {
            /** Format: double */
            cpu: number;
            /** Format: double */
            down_window: number;
            /** Format: double */
            drain: number;
            /** Format: double */
            hold: number;
            /** Format: double */
            idle: number;
            /** Format: double */
            late: number;
            /** Format: double */
            time_up: number;
        };
        TargetNumbers: {
            /** Format: double */
            down_delay: number;
            /** Format: double */
            down_rate: number;
            /** Format: double */
            panic_threshold: number;
            /** Format: double */
            panic_window: number;
            /** Format: double */
            stable_window: number;
            /** Format: double */
            up_rate: number;
            /** Format: double */
            utilization: number;
        };
        Tenant: {
            /** Format: int64 */
            apps: number;
            /** Format: date-time */
            created_at: string;
            name: string;
        };
        TenantList: {
            tenants: components["schemas"]["Tenant"][] | null;
        };
        Token: {
            app?: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            /** Format: date-time */
            expires_at?: string;
            id: string;
            name: string;
            role: string;
            scopes?: string[] | null;
            tenant: string;
            /** Format: date-time */
            used_at?: string;
        };
        TokenList: {
            tokens: components["schemas"]["Token"][] | null;
        };
        TrendList: {
            /** Format: date-time */
            from: string;
            routes: components["schemas"]["RouteTrend"][] | null;
            /**
             * Format: double
             * @description Seconds
             */
            step: number;
            window: string;
        };
        User: {
            /** Format: date-time */
            created_at: string;
            email?: string;
            name: string;
            role: string;
            tenant: string;
        };
        UserList: {
            users: components["schemas"]["User"][] | null;
        };
        Volume: {
            /** Format: date-time */
            created_at: string;
            /** @description Below the app's source: instance, data/uploads */
            path: string;
            /**
             * Format: int64
             * @description Bytes that it can hold
             */
            size: number;
            /**
             * Format: int64
             * @description Bytes taken; null while it is not mounted
             */
            used: number | null;
        };
        VolumeList: {
            volumes: components["schemas"]["Volume"][] | null;
        };
        WhatIf: {
            /**
             * Format: double
             * @description CPU of a request
             */
            cpu_ms: number;
            /** Format: date-time */
            from: string;
            /**
             * Format: double
             * @description ms; a request that takes longer is late
             */
            objective: number;
            /**
             * Format: int64
             * @description That came in this time
             */
            requests: number;
            /** @description The policy in force first */
            results: components["schemas"]["WhatIfResult"][] | null;
            says: string;
            /**
             * Format: int64
             * @description Requests that a replica works on at once
             */
            slots: number;
            /** Format: date-time */
            to: string;
            /**
             * Format: double
             * @description Mean time of a request that waits for nothing
             */
            work_ms: number;
        };
        WhatIfPoint: {
            /** Format: date-time */
            at: string;
            /**
             * Format: double
             * @description Requests per second, mean
             */
            rate: number;
            /**
             * Format: double
             * @description Ready, mean
             */
            replicas: number;
        };
        WhatIfRequestBody: {
            /**
             * Format: double
             * @default 24
             */
            hours: number;
            /**
             * Format: double
             * @description ms; without it the response time that the app's policy aims at
             */
            objective?: number;
            /** @description What is to be otherwise than now */
            policy: components["schemas"]["PolicyChange"];
        };
        WhatIfResult: {
            /** Format: int64 */
            changes: number;
            course: components["schemas"]["WhatIfPoint"][] | null;
            /**
             * Format: double
             * @description Share of requests that failed
             */
            errors: number;
            /**
             * Format: double
             * @description Share of requests above the objective, or failed
             */
            late: number;
            /**
             * Format: int64
             * @description Largest number of replicas
             */
            most: number;
            /**
             * Format: double
             * @description ms
             */
            p95: number;
            /**
             * Format: double
             * @description ms
             */
            p99: number;
            policy: components["schemas"]["Policy"];
            /** Format: double */
            replica_hours: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AcceptRequestBody = components['schemas']['AcceptRequestBody'];
export type AppView = components['schemas']['AppView'];
export type AppViews = components['schemas']['AppViews'];
export type ArchiveFile = components['schemas']['ArchiveFile'];
export type ArchiveLimits = components['schemas']['ArchiveLimits'];
export type ArchiveList = components['schemas']['ArchiveList'];
export type ArchiveState = components['schemas']['ArchiveState'];
export type ArchiveUse = components['schemas']['ArchiveUse'];
export type Asked = components['schemas']['Asked'];
export type AutoRollback = components['schemas']['AutoRollback'];
export type AutoRollbackChange = components['schemas']['AutoRollbackChange'];
export type Bounds = components['schemas']['Bounds'];
export type Branch = components['schemas']['Branch'];
export type Canary = components['schemas']['Canary'];
export type CanaryShareBody = components['schemas']['CanaryShareBody'];
export type Collected = components['schemas']['Collected'];
export type Comparison = components['schemas']['Comparison'];
export type Course = components['schemas']['Course'];
export type CourseEvent = components['schemas']['CourseEvent'];
export type CoursePoint = components['schemas']['CoursePoint'];
export type CreateTenantRequest = components['schemas']['Create-tenantRequest'];
export type CronJob = components['schemas']['CronJob'];
export type CronJobView = components['schemas']['CronJobView'];
export type CronRun = components['schemas']['CronRun'];
export type CronView = components['schemas']['CronView'];
export type DatabaseAnswer = components['schemas']['DatabaseAnswer'];
export type DatabaseSizeBody = components['schemas']['DatabaseSizeBody'];
export type DatabaseUrl = components['schemas']['DatabaseURL'];
export type DatabaseView = components['schemas']['DatabaseView'];
export type Decision = components['schemas']['Decision'];
export type DecisionList = components['schemas']['DecisionList'];
export type DeedList = components['schemas']['DeedList'];
export type DeedView = components['schemas']['DeedView'];
export type DiskReport = components['schemas']['DiskReport'];
export type DiskUse = components['schemas']['DiskUse'];
export type Domain = components['schemas']['Domain'];
export type Egress = components['schemas']['Egress'];
export type EgressView = components['schemas']['EgressView'];
export type EnvVars = components['schemas']['EnvVars'];
export type FileChange = components['schemas']['FileChange'];
export type FileChanges = components['schemas']['FileChanges'];
export type HpaNumbers = components['schemas']['HPANumbers'];
export type HostFigures = components['schemas']['HostFigures'];
export type HostState = components['schemas']['HostState'];
export type Invitation = components['schemas']['Invitation'];
export type InvitationList = components['schemas']['InvitationList'];
export type InvitationPreview = components['schemas']['InvitationPreview'];
export type Isolation = components['schemas']['Isolation'];
export type IsolationCheck = components['schemas']['IsolationCheck'];
export type JoinByProviderBody = components['schemas']['JoinByProviderBody'];
export type Limits = components['schemas']['Limits'];
export type LoadTest = components['schemas']['LoadTest'];
export type LoadTestList = components['schemas']['LoadTestList'];
export type LoadTestRequestBody = components['schemas']['LoadTestRequestBody'];
export type LookRequestBody = components['schemas']['LookRequestBody'];
export type Lookup = components['schemas']['Lookup'];
export type MemoryComparison = components['schemas']['MemoryComparison'];
export type Message = components['schemas']['Message'];
export type NewInvitationBody = components['schemas']['NewInvitationBody'];
export type NewRule = components['schemas']['NewRule'];
export type NewRuntimeBody = components['schemas']['NewRuntimeBody'];
export type NewSilence = components['schemas']['NewSilence'];
export type NewTokenBody = components['schemas']['NewTokenBody'];
export type NewUserBody = components['schemas']['NewUserBody'];
export type NewVolumeBody = components['schemas']['NewVolumeBody'];
export type Notification = components['schemas']['Notification'];
export type NotificationList = components['schemas']['NotificationList'];
export type Number = components['schemas']['Number'];
export type Pipeline = components['schemas']['Pipeline'];
export type PipelineFlow = components['schemas']['PipelineFlow'];
export type PipelinePart = components['schemas']['PipelinePart'];
export type PipelineView = components['schemas']['PipelineView'];
export type PlatformCapacity = components['schemas']['PlatformCapacity'];
export type PlatformStatus = components['schemas']['PlatformStatus'];
export type Policy = components['schemas']['Policy'];
export type PolicyChange = components['schemas']['PolicyChange'];
export type PolicyList = components['schemas']['PolicyList'];
export type PolicyView = components['schemas']['PolicyView'];
export type PreviewPoint = components['schemas']['PreviewPoint'];
export type PreviewRuleBody = components['schemas']['PreviewRuleBody'];
export type Problem = components['schemas']['Problem'];
export type ProfileView = components['schemas']['ProfileView'];
export type ProviderStart = components['schemas']['ProviderStart'];
export type ProviderView = components['schemas']['ProviderView'];
export type Quota = components['schemas']['Quota'];
export type QuotaView = components['schemas']['QuotaView'];
export type Receiver = components['schemas']['Receiver'];
export type RecordList = components['schemas']['RecordList'];
export type Release = components['schemas']['Release'];
export type ReleaseChanges = components['schemas']['ReleaseChanges'];
export type ReleaseList = components['schemas']['ReleaseList'];
export type ReleaseReceivers = components['schemas']['ReleaseReceivers'];
export type Replica = components['schemas']['Replica'];
export type RoleStatus = components['schemas']['RoleStatus'];
export type RollbackRequestBody = components['schemas']['RollbackRequestBody'];
export type RouteComparison = components['schemas']['RouteComparison'];
export type RouteProfile = components['schemas']['RouteProfile'];
export type RouteSide = components['schemas']['RouteSide'];
export type RouteTrend = components['schemas']['RouteTrend'];
export type RoutingChangeBody = components['schemas']['RoutingChangeBody'];
export type RoutingView = components['schemas']['RoutingView'];
export type Rule = components['schemas']['Rule'];
export type RuleList = components['schemas']['RuleList'];
export type RulePreview = components['schemas']['RulePreview'];
export type RunRequestBody = components['schemas']['RunRequestBody'];
export type RuntimeChoice = components['schemas']['RuntimeChoice'];
export type Runtimes = components['schemas']['Runtimes'];
export type SampleRequestBody = components['schemas']['SampleRequestBody'];
export type SampledRoute = components['schemas']['SampledRoute'];
export type SamplingView = components['schemas']['SamplingView'];
export type ScaleRequestBody = components['schemas']['ScaleRequestBody'];
export type Session = components['schemas']['Session'];
export type SetPasswordRequest = components['schemas']['Set-passwordRequest'];
export type SetRoleRequest = components['schemas']['Set-roleRequest'];
export type SettingsChanges = components['schemas']['SettingsChanges'];
export type ShownInvitation = components['schemas']['ShownInvitation'];
export type ShownToken = components['schemas']['ShownToken'];
export type SignInBody = components['schemas']['SignInBody'];
export type Silence = components['schemas']['Silence'];
export type SilenceList = components['schemas']['SilenceList'];
export type SlowList = components['schemas']['SlowList'];
export type SlowRequest = components['schemas']['SlowRequest'];
export type StackNode = components['schemas']['StackNode'];
export type StackView = components['schemas']['StackView'];
export type Stage = components['schemas']['Stage'];
export type Start = components['schemas']['Start'];
export type Static = components['schemas']['Static'];
export type StepNumbers = components['schemas']['StepNumbers'];
export type SwiftNumbers = components['schemas']['SwiftNumbers'];
export type TargetNumbers = components['schemas']['TargetNumbers'];
export type Tenant = components['schemas']['Tenant'];
export type TenantList = components['schemas']['TenantList'];
export type Token = components['schemas']['Token'];
export type TokenList = components['schemas']['TokenList'];
export type TrendList = components['schemas']['TrendList'];
export type User = components['schemas']['User'];
export type UserList = components['schemas']['UserList'];
export type Volume = components['schemas']['Volume'];
export type VolumeList = components['schemas']['VolumeList'];
export type WhatIf = components['schemas']['WhatIf'];
export type WhatIfPoint = components['schemas']['WhatIfPoint'];
export type WhatIfRequestBody = components['schemas']['WhatIfRequestBody'];
export type WhatIfResult = components['schemas']['WhatIfResult'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

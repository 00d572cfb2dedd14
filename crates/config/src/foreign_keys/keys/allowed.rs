//! What is allowed to whom.

use super::super::shape::Shape::{self, Either, Flag, List, Row, Table, Text, Variant, Words};
use super::{ACCESS, FLAG_TABLE, NATURAL, REVIEWER, TOOL_APPROVAL, TOOL_SURFACES};

pub(super) const APPROVAL_POLICY: Shape = Either(
    &Words(&["untrusted", "on-failure", "on-request", "never"]),
    &Variant(&[(
        "granular",
        Row(
            &["mcp_elicitations", "rules", "sandbox_approval"],
            &[
                ("mcp_elicitations", Flag),
                ("request_permissions", Flag),
                ("rules", Flag),
                ("sandbox_approval", Flag),
                ("skill_approval", Flag),
            ],
        ),
    )]),
);

pub(super) const APPS: Shape = Table(&[
    (
        "_default",
        Table(&[
            ("approvals_reviewer", REVIEWER),
            ("default_tools_approval_mode", TOOL_APPROVAL),
            ("destructive_enabled", Flag),
            ("enabled", Flag),
            ("open_world_enabled", Flag),
        ]),
    ),
    (
        "*",
        Table(&[
            ("approvals_reviewer", REVIEWER),
            ("default_tools_approval_mode", TOOL_APPROVAL),
            ("default_tools_enabled", Flag),
            ("destructive_enabled", Flag),
            ("enabled", Flag),
            (
                "links",
                Table(&[(
                    "*",
                    Table(&[
                        ("approvals_reviewer", REVIEWER),
                        ("default_tools_approval_mode", TOOL_APPROVAL),
                    ]),
                )]),
            ),
            ("omit_tools_from", TOOL_SURFACES),
            ("open_world_enabled", Flag),
            (
                "tools",
                Table(&[(
                    "*",
                    Table(&[("approval_mode", TOOL_APPROVAL), ("enabled", Flag)]),
                )]),
            ),
        ]),
    ),
]);

pub(super) const BROWSER_USE: Shape = Table(&[
    ("allow_history_access", Flag),
    ("default_origin_policy", ORIGIN_POLICY),
    ("origins", Table(&[("*", ORIGIN_POLICY)])),
]);

const ORIGIN_POLICY: Shape = Table(&[
    ("access", ACCESS),
    ("downloads", ACCESS),
    ("full_cdp_access", ACCESS),
    ("uploads", ACCESS),
]);

pub(super) const COMPUTER_USE: Shape = Table(&[
    ("default_app_access", ACCESS),
    ("macos", Table(&[("bundle_ids", Table(&[("*", ACCESS)]))])),
    (
        "windows",
        Table(&[
            ("aumids", Table(&[("*", ACCESS)])),
            (
                "exes",
                List(&Row(
                    &["publisher_name", "product_name", "access"],
                    &[
                        ("access", ACCESS),
                        ("binary_name", Text),
                        ("product_name", Text),
                        ("publisher_name", Text),
                    ],
                )),
            ),
        ]),
    ),
]);

pub(super) const PERMISSIONS: Shape = Table(&[
    ("description", Text),
    ("extends", Text),
    (
        "filesystem",
        Table(&[
            ("glob_scan_max_depth", NATURAL),
            ("*", Either(&FILE_ACCESS, &Table(&[("*", FILE_ACCESS)]))),
        ]),
    ),
    (
        "network",
        Table(&[
            ("allow_local_binding", Flag),
            ("allow_upstream_proxy", Flag),
            ("dangerously_allow_all_unix_sockets", Flag),
            ("dangerously_allow_non_loopback_proxy", Flag),
            ("domains", Table(&[("*", ACCESS)])),
            ("enable_socks5", Flag),
            ("enable_socks5_udp", Flag),
            ("enabled", Flag),
            ("mode", Words(&["limited", "full"])),
            ("proxy_url", Text),
            ("socks_url", Text),
            ("unix_sockets", Table(&[("*", ACCESS)])),
        ]),
    ),
    ("workspace_roots", FLAG_TABLE),
]);

const FILE_ACCESS: Shape = Words(&["read", "write", "none", "deny"]);

//! docs/access.md is generated from a table. A test compares the table with the requests of the commands.
//! To renew the document: `UPDATE_DOCS=1 cargo test --test cli access`.

mod rules;
mod table;

use std::fmt::Write as _;

use locustctl::sandbox::{Rights, Rule};
use support::rights::Right;
use support::waiting::kubeconfig_of;

use self::rules::AccessRule;
use self::table::{Access, Setting, TABLE};
use super::{root, text_of};

const TOKEN: &str = "token-of-the-access-test";

const TOP: &str = "\
# Rights

Each section has the rules that one command needs in the namespace of its target. Put them into a Role, and bind the Role to the
user or to the ServiceAccount.

- If your target has another type or name, write that instead of `deployments` and `locust-slave`. If the type has another API group, write that
  instead of `apps`. The Lease has the singular of the type in its name, for example `locustctl-run-statefulset-NAME`.
- If the Service of Locust's master has another name, write that instead of `locust-master`.
- In `locust-master:8089`, 8089 is the Service's port. For another port, write the port's name, or its number if it has no name.
- If Locust speaks TLS, write `https:` in front: `https:locust-master:8089`.

`serve` needs the Role in `deploy/role.yaml`, which has the reason for each right.
";

const BOTTOM: &str = "
## A complete example

These objects allow `scale` and `scale --wait` from a pod in the namespace `load-test`. The pod needs `serviceAccountName: locustctl`.
";

fn document() -> String {
    let mut text = TOP.to_owned();
    for access in TABLE {
        let Access { title, text: words, rules, .. } = access;
        write!(text, "\n## {title}\n\n{words}").unwrap();
        text += if words.is_empty() { "" } else { "\n" };
        write!(text, "```yaml\n{}```\n", yaml(rules)).unwrap();
    }
    let wait = TABLE.iter().find(|it| it.title == "`scale --wait`").unwrap();
    write!(
        text,
        "{BOTTOM}\n```yaml\n\
         apiVersion: v1\n\
         kind: ServiceAccount\n\
         metadata: {{name: locustctl, namespace: load-test}}\n\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: Role\n\
         metadata: {{name: locustctl, namespace: load-test}}\n\
         {}\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: RoleBinding\n\
         metadata: {{name: locustctl, namespace: load-test}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: locustctl}}\n\
         subjects: [{{kind: ServiceAccount, name: locustctl, namespace: load-test}}]\n\
         ```\n",
        yaml(wait.rules)
    )
    .unwrap();
    text
}

fn yaml(rules: &[&AccessRule]) -> String {
    let mut text = "rules:\n".to_owned();
    for AccessRule(group, resource, names, verbs, purpose) in rules {
        let group = if group.is_empty() { "\"\"" } else { group };
        write!(text, "# {purpose}.\n- apiGroups: [{group}]\n  resources: [{resource}]\n").unwrap();
        if !names.is_empty() {
            let quoted: Vec<_> = names
                .iter()
                .map(|it| if it.contains(':') { format!("\"{it}\"") } else { (*it).to_owned() })
                .collect();
            writeln!(text, "  resourceNames: [{}]", quoted.join(", ")).unwrap();
        }
        writeln!(text, "  verbs: [{}]", verbs.join(", ")).unwrap();
    }
    text
}

#[test]
fn the_document_is_current() {
    let (path, document) = (root().join("docs/access.md"), document());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    assert!(
        text_of("docs/access.md") == document,
        "docs/access.md is stale; to renew: UPDATE_DOCS=1 cargo test --test cli access"
    );
}

#[test]
fn each_command_works_with_its_rights_and_uses_each_of_them() {
    let mut faults = Vec::new();
    for access in TABLE {
        let cluster = access.setting.cluster();
        let rule = |AccessRule(group, resources, names, verbs, _): &AccessRule| {
            let resources: Vec<_> = resources.split(", ").collect();
            let rule = Rule::new(verbs, &[group], &resources, names);
            if access.is_cluster_wide { rule } else { rule.in_namespace("default") }
        };
        let rules = || access.rules.iter().chain(access.besides);
        let rights = Rights::Rules(rules().map(|it| rule(it)).collect());
        cluster.handle().add_account(TOKEN, "access", rights);
        let kubeconfig = kubeconfig_of(&cluster, TOKEN);
        for line in access.lines {
            let outcome = support::locustctl(line).kubeconfig(&kubeconfig).run();
            let expected = i32::from(access.setting == Setting::NoImage);
            if outcome.code != Some(expected) || outcome.stderr.contains("forbidden") {
                faults.push(format!("{line}: {outcome:?}"));
            }
        }
        let mut allowed = Vec::new();
        for AccessRule(group, resources, _, verbs, _) in rules() {
            for resource in resources.split(", ") {
                allowed.extend(verbs.iter().map(|verb| Right::new(group, resource, verb)));
            }
        }
        allowed.sort();
        let used = Right::used_by(&cluster.handle().requests(), TOKEN);
        if used != allowed {
            let only_in = |these: &[Right], others: &[Right]| {
                let only = these.iter().filter(|it| !others.contains(it)).map(Right::to_string);
                only.collect::<Vec<_>>().join(", ")
            };
            faults.push(format!(
                "{}: more are used: {}; never used: {}",
                access.title,
                only_in(&used, &allowed),
                only_in(&allowed, &used)
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

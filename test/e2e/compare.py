# SPDX-License-Identifier: Apache-2.0
"""compare.py API CERTS AUTHORIZE CA CLIENT COUNT - compares Curfew's boundary with the Node authorizer.

Makes COUNT queries about objects of the cluster and about names that do not exist. Sends each query twice:
to the API server (API, as CERTS.pem, whose CA is in the same directory) for the node, and to Curfew
(AUTHORIZE, whose CA is CA, as CLIENT.crt) for a restricted account on that node. Prints how often both
agree, and each kind of difference with its reason; exits 1 for a difference without a reason.
"""
import collections
import http.client
import json
import os
import random
import ssl
import sys
import urllib.parse

NODE = "node-1"
ACCOUNT = ("agents", "agent")
READS = ("get", "list", "watch")
VERBS = READS + ("create", "update", "patch", "delete", "deletecollection")
RESOURCES = ("secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes", "pods", "nodes",
             "serviceaccounts")
CLUSTER_SCOPED = ("persistentvolumes", "nodes")
SUBRESOURCES = {"pods": ("status", "eviction", "log", "exec"), "nodes": ("status", "proxy"),
                "serviceaccounts": ("token",), "persistentvolumeclaims": ("status",)}


class Client:
    def __init__(self, url, ca, cert, key):
        self.url = urllib.parse.urlsplit(url)
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = False
        context.load_cert_chain(cert, key)
        self.connection = http.client.HTTPSConnection(self.url.hostname, self.url.port,
                                                      context=context, timeout=30)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body else None,
                                {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            sys.exit("%s %s: %d %s" % (method, path, answer.status, data[:300]))
        return json.loads(data)


def names_of(api):
    """The (namespace, name) of all objects of each resource."""
    names = {}
    for resource in RESOURCES:
        items = api.ask("GET", "/api/v1/" + resource)["items"]
        names[resource] = sorted((i["metadata"].get("namespace", ""), i["metadata"]["name"])
                                 for i in items)
    return names


def question(names, chance):
    resource = chance.choice(RESOURCES)
    verb = chance.choice(VERBS + ("get",) * 6 + ("list", "watch"))
    namespace, name = chance.choice(names[resource] or [("agents", "none")])
    if chance.random() < 0.1:
        name = "no-such-" + name
    if chance.random() < 0.1 and namespace:
        namespace = "shop"
    one = {"verb": verb, "version": "v1", "resource": resource}
    if namespace:
        one["namespace"] = namespace
    if resource in SUBRESOURCES and chance.random() < 0.3:
        one["subresource"] = chance.choice(SUBRESOURCES[resource])
    if verb in ("list", "watch", "deletecollection"):
        one.pop("subresource", None)
        how = chance.random()
        if how < 0.5:
            one["fieldSelector"] = {"requirements": [
                {"key": "metadata.name", "operator": "In", "values": [name]}]}
            one["name"] = name  # as the API server sets it
        elif how < 0.8 and resource == "pods":
            one["fieldSelector"] = {"requirements": [
                {"key": "spec.nodeName", "operator": "In",
                 "values": [chance.choice((NODE, "node-2"))]}]}
    elif verb != "create" or "subresource" in one:
        one["name"] = name
    return one


def review(attributes, user, groups, extra=None):
    spec = {"resourceAttributes": attributes, "user": user, "groups": groups}
    if extra:
        spec["extra"] = extra
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {},
            "spec": spec}


def reason(q):
    """Why the two may differ for a query; None if they must agree."""
    resource, verb, sub = q["resource"], q["verb"], q.get("subresource", "")
    if verb == "create" and not sub:
        return "a create without a name: admission decides"
    if resource == "serviceaccounts" and not sub:
        return "ServiceAccounts: reading is not covered, writing never allowed"
    if resource == "serviceaccounts":
        return "tokens: of its own account only (tokenFor), where a kubelet gets those of all its pods"
    if resource == "nodes" and (sub or verb not in READS):
        return "writing nodes: a kubelet any, until NodeRestriction looks; an account its own"
    if resource == "pods" and (sub or verb not in READS):
        return "writing pods: a kubelet deletes and evicts any, until NodeRestriction looks; an " \
               "account those of its node, and uses their subresources"
    if verb not in READS:
        return "writing what pods refer to: kubelets never do, for an account RBAC decides"
    if sub:
        return "subresources of claims: kubelets never read them"
    if resource in ("persistentvolumeclaims", "persistentvolumes") and verb != "get":
        return "lists and watches of one claim or volume: kubelets only get them"
    return None


def main():
    api_url, cert, authorize, ca, client, count = sys.argv[1:7]
    api = Client(api_url, os.path.join(os.path.dirname(cert), "ca.pem"), cert + ".pem", cert + ".key")
    curfew = Client(authorize, ca, client + ".crt", client + ".key")
    chance = random.Random(7)
    names = names_of(api)
    agree, differ, wrong = collections.Counter(), collections.Counter(), []
    for _ in range(int(count)):
        q = question(names, chance)
        theirs = api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                         review(q, "system:node:" + NODE, ["system:nodes", "system:authenticated"]))
        ours = curfew.ask("POST", curfew.url.path,
                          review(q, "system:serviceaccount:%s:%s" % ACCOUNT,
                                 ["system:serviceaccounts", "system:authenticated"],
                                 {"authentication.kubernetes.io/credential-id": ["JTI=7"],
                                  "authentication.kubernetes.io/node-name": [NODE]}))
        allowed, free = theirs["status"]["allowed"], not ours["status"].get("denied", False)
        if allowed == free:
            agree["both %s" % ("allow" if free else "deny")] += 1
        elif reason(q):
            differ[(reason(q), "the node may" if allowed else "the account may")] += 1
        else:
            wrong.append((json.dumps(q), "the node may" if allowed else "the account may",
                          theirs["status"].get("reason"), ours["status"].get("reason")))
    for what, n in sorted(agree.items()):
        print("%5d  %s" % (n, what))
    for (what, who), n in sorted(differ.items()):
        print("%5d  %s; only %s" % (n, what, who))
    for one in wrong[:20]:
        print("WITHOUT A REASON: only %s: %s\n  node: %s\n  curfew: %s" % (one[1], one[0], one[2],
                                                                          one[3]))
    print("%5d  without a reason" % len(wrong))
    return 1 if wrong or not agree else 0


if __name__ == "__main__":
    sys.exit(main())

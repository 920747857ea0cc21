"""The manifests in `docker/kubernetes/`, held to the schemas of Kubernetes and to what a node needs."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from control import __version__
from control.settings import from_env
from tests.support.containers import DOCKER, UID

MANIFESTS = sorted((DOCKER / "kubernetes").glob("*.yaml"))
OBJECTS: list[dict[str, Any]] = [each for file in MANIFESTS for each in yaml.safe_load_all(file.read_text())]


def found(kind: str, name: str = "qplus") -> dict[str, Any]:
    (one,) = [each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return one


POD: dict[str, Any] = found("StatefulSet")["spec"]["template"]["spec"]
NODE: dict[str, Any] = POD["containers"][0]


@pytest.mark.parametrize("version", ["1.25", "1.37"])
@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_kubernetes_takes_a_manifest(number: int, version: str) -> None:
    kubernetes_validate.validate(OBJECTS[number], version, strict=True)


def test_what_kubernetes_does_not_know_is_noticed() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(found("StatefulSet") | {"spec": {"replicas": "three"}}, "1.25", strict=True)


def test_a_pod_has_no_more_rights_than_it_needs() -> None:
    assert (POD["securityContext"]["runAsUser"], POD["securityContext"]["runAsNonRoot"]) == (int(UID), True)
    assert POD["securityContext"]["fsGroup"] == int(UID) and POD["automountServiceAccountToken"] is False
    for container in (*POD["initContainers"], *POD["containers"]):
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["image"] == f"qplus-node:{__version__}"
        assert {"requests", "limits"} == container["resources"].keys()


def test_a_pod_can_use_its_settings() -> None:
    from_elsewhere = {
        "QPLUS_NODE": "qplus-0",
        "QPLUS_NODE_ADDRESS": "10.1.0.7",
        "QPLUS_DATABASE_URL": "postgresql://h/n",
    }
    assert POD["enableServiceLinks"] is False
    named = {each["name"]: each.get("value") or from_elsewhere[each["name"]] for each in NODE["env"]}
    given = found("ConfigMap", "qplus-settings")["data"]
    assert not given.keys() & named.keys()
    for protocol in ("off", "on"):
        settings = from_env(named | given | {"QPLUS_RTMP_PROXY_PROTOCOL": protocol})
        ports = {"http": settings.http_port, "rtmp": settings.rtmp_port, "rtmp-nodes": settings.node_rtmp_port}
        assert {each["name"]: each["containerPort"] for each in NODE["ports"]} == ports


def test_every_folder_of_the_image_that_is_written_to_is_a_volume() -> None:
    mounted = {each["mountPath"]: each["name"] for each in NODE["volumeMounts"]}
    assert mounted.keys() == {"/var/lib/qplus", "/run/qplus", "/srv/hls", "/tmp"}
    assert set(mounted.values()) | {"keys"} == {each["name"] for each in POD["volumes"]}
    text = (DOCKER / "node.Dockerfile").read_text()
    folders = dict(re.findall(r"(QPLUS_\w+_DIR)=(\S+)", text))
    assert all(any(folder.startswith(each) for each in mounted) for folder in folders.values())
    assert folders["QPLUS_SOCKET_DIR"] not in mounted  # which would be open to its group, and control takes none such


def test_every_object_chooses_the_nodes() -> None:
    label = {"app.kubernetes.io/name": "qplus"}
    assert found("StatefulSet")["spec"]["template"]["metadata"]["labels"] == label
    for kind in ("StatefulSet", "PodDisruptionBudget"):
        assert found(kind)["spec"]["selector"] == {"matchLabels": label}
    names = {each["name"] for each in NODE["ports"]}
    for service in ("qplus", found("StatefulSet")["spec"]["serviceName"]):
        spec = found("Service", service)["spec"]
        assert spec["selector"] == label and {each["targetPort"] for each in spec["ports"]} <= names
    policy = found("NetworkPolicy")["spec"]
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == names
    assert all("from" in rule for rule in policy["ingress"] if {"port": "rtmp-nodes"} in rule["ports"])

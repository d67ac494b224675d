"""Servlets about the node and the chain as a whole."""

import os
import platform
import sys
from typing import Any

from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.state.world import World


def _world(ask: ServletRequest) -> World:
    return ask.chain.solid if ask.solid else ask.chain.head


def get_chain_parameters(ask: ServletRequest) -> Json:
    every = ask.chain.genesis.parameters.every
    return {
        "chainParameter": [
            {"key": key, "value": value} if value else {"key": key}
            for key, value in every
        ]
    }


def get_energy_prices(ask: ServletRequest) -> Json:
    return {"prices": ask.chain.genesis.file.energy_prices}


def get_bandwidth_prices(ask: ServletRequest) -> Json:
    return {"prices": ask.chain.genesis.file.bandwidth_prices}


def get_memo_fee(ask: ServletRequest) -> Json:
    return {"prices": ask.chain.genesis.file.memo_fee}


def get_burn_trx(ask: ServletRequest) -> Json:
    world = ask.chain.solid if ask.solid else ask.chain.pending
    return {"burnTrxAmount": world.globals.burned}


def get_next_maintenance_time(ask: ServletRequest) -> Json:
    return {"num": _world(ask).globals.next_maintenance}


def list_nodes(_ask: ServletRequest) -> Json:
    return {}


def get_node_info(ask: ServletRequest) -> Json:
    """A node without peers. Machine figures are this process's; it runs no JVM."""
    file = ask.chain.genesis.file
    properties = ask.chain.head.globals
    solid = ask.chain.block(properties.solid)
    solid_id = solid.id.hex() if solid else ""
    return {
        "beginSyncNum": properties.number,
        "block": f"Num:{properties.number},ID:{properties.block_id.hex()}",
        "solidityBlock": f"Num:{properties.solid},ID:{solid_id}",
        "currentConnectCount": 0,
        "activeConnectCount": 0,
        "passiveConnectCount": 0,
        "totalFlow": 0,
        "peerList": [],
        "configNodeInfo": {
            "codeVersion": file.code_version,
            "versionNum": file.version_number,
            "p2pVersion": str(file.p2p_version),
            "listenPort": 0,
            "discoverEnable": False,
            "activeNodeSize": 0,
            "passiveNodeSize": 0,
            "sendNodeSize": 0,
            "maxConnectCount": 0,
            "sameIpMaxConnectCount": 0,
            "backupListenPort": 0,
            "backupMemberSize": 0,
            "backupPriority": 0,
            "dbVersion": 2,
            "minParticipationRate": 0,
            "supportConstant": False,
            "minTimeRatio": 0.0,
            "maxTimeRatio": 5.0,
            "allowCreationOfContracts": 1,
            "allowAdaptiveEnergy": 0,
        },
        "machineInfo": _machine(),
        "cheatWitnessInfoMap": {},
    }


def _machine() -> dict[str, Any]:
    page = os.sysconf("SC_PAGE_SIZE")
    return {
        "threadCount": 1,
        "deadLockThreadCount": 0,
        "cpuCount": os.cpu_count() or 1,
        "totalMemory": page * os.sysconf("SC_PHYS_PAGES"),
        "freeMemory": page * os.sysconf("SC_AVPHYS_PAGES"),
        "cpuRate": 0.0,
        "javaVersion": f"none: Python {platform.python_version()}",
        "osName": f"{sys.platform} {platform.release()}",
        "jvmTotalMemory": 0,
        "jvmFreeMemory": 0,
        "processCpuRate": 0.0,
    }

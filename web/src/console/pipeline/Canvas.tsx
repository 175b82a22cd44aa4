import { applyNodeChanges, Background, BaseEdge, Controls, getSmoothStepPath, Handle, Position, ReactFlow, ReactFlowProvider, useReactFlow, type Connection, type Edge, type EdgeProps, type Node, type NodeChange, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useState, type DragEvent } from 'react';
import type { Pipeline } from '../../api/schema';
import { ids } from '../../testids';
import { IconBell, IconFilter } from '../../theme/icons';
import type { Box, Drawing } from './draw';
import { drop, idOf, thingOf, turn, type Service, type Thing } from './model';
import './pipeline.css';

export type Tool = 'filter' | 'sample' | 'receiver';
const MIME = 'application/x-kurama-tool';

/** The drawing, where things are picked, connected, dropped and taken away. */
export function Canvas(props: CanvasProps) {
  return <ReactFlowProvider><Flow {...props} /></ReactFlowProvider>;
}

interface CanvasProps {
  drawing: Drawing;
  picked: string;
  pick: (id: string) => void;
  change: ((fn: (p: Pipeline) => Pipeline) => void) | null; // null: to be looked at
  use: (tool: Tool, on: Service) => void;
  phone: boolean; // it scrolls with the page, and nothing is dragged
}

function Flow({ drawing, picked, pick, change, use, phone }: CanvasProps) {
  const flow = useReactFlow();
  const [nodes, setNodes] = useState<Node<Box>[]>([]);
  // What was dragged stays where it was put for as long as the page is open.
  useEffect(() => {
    setNodes((old) => drawing.nodes.map((n) => {
      const was = old.find((o) => o.id === n.id);
      return { ...n, measured: was?.measured, position: was?.data.moved ? was.position : n.position, data: { ...n.data, moved: was?.data.moved }, selected: n.id === picked, draggable: !phone };
    }));
  }, [drawing, picked, phone]);
  const count = drawing.nodes.length;
  useEffect(() => {
    const id = requestAnimationFrame(() => void flow.fitView(FIT));
    return () => cancelAnimationFrame(id);
  }, [count, flow, phone]);

  const changed = (changes: NodeChange<Node<Box>>[]) => {
    for (const c of changes) if (c.type === 'select' && c.selected) pick(c.id);
    setNodes((old) => applyNodeChanges(changes.filter((c) => c.type !== 'remove'), old).map((n) => (changes.some((c) => c.type === 'position' && c.id === n.id && c.dragging) ? { ...n, data: { ...n.data, moved: true } } : n)));
  };
  const connect = (c: Connection) => {
    const to = thingOf(c.target);
    if (to?.kind === 'service') change?.((p) => turn(p, to.service, true));
  };
  const taken = ({ nodes: gone, edges }: { nodes: Node[]; edges: Edge[] }) => {
    const things = [...gone.map((n) => n.id), ...(gone.length ? [] : edges.map((e) => e.target))].map(thingOf).filter((t): t is Thing => t != null);
    // From the back, so that the numbers before stay right.
    things.sort((a, b) => ('index' in b ? b.index : 0) - ('index' in a ? a.index : 0)).forEach((t) => change?.((p) => drop(p, t)));
    pick('');
    return Promise.resolve(false); // the drawing follows from the pipeline
  };
  const dropped = (e: DragEvent) => {
    const tool = e.dataTransfer.getData(MIME) as Tool;
    if (!tool || !change) return;
    e.preventDefault();
    const point = flow.screenToFlowPosition({ x: e.clientX, y: e.clientY });
    const on = nearest(nodes, point);
    if (on) use(tool, on);
  };
  return (
    <div className="canvas panel" style={{ height: phone ? drawing.height + 40 : Math.min(760, drawing.height + 60) }} onDragOver={(e) => e.dataTransfer.types.includes(MIME) && e.preventDefault()} onDrop={dropped} data-testid={ids.pipelineCanvas}>
      <ReactFlow
        nodes={nodes} edges={drawing.edges} nodeTypes={TYPES} onNodesChange={changed} onConnect={connect} onBeforeDelete={taken}
        onNodeClick={(_, n) => pick(n.id)} onPaneClick={() => pick('')} panOnDrag={!phone} zoomOnPinch={!phone} zoomOnDoubleClick={!phone} nodesConnectable={change != null && !phone} deleteKeyCode={change ? ['Delete', 'Backspace'] : null}
        edgeTypes={EDGES} fitView fitViewOptions={FIT} minZoom={0.25} maxZoom={1.5} zoomOnScroll={false} preventScrolling={false} multiSelectionKeyCode={null}
        isValidConnection={(c) => c.source === STREAM && thingOf(c.target ?? '')?.kind === 'service'}
      >
        <Background gap={20} />
        {!phone && <Controls showInteractive={false} />}
      </ReactFlow>
    </div>
  );
}

/** The service that a point is on or nearest to. */
function nearest(nodes: Node<Box>[], at: { x: number; y: number }): Service | null {
  let best: { service: Service; away: number } | null = null;
  for (const n of nodes) {
    const t = thingOf(n.id);
    if (!t || t.kind === 'part') continue;
    const service = t.kind === 'receiver' ? 'alert' : t.service;
    const dx = Math.max(n.position.x - at.x, 0, at.x - n.position.x - (n.width ?? 0));
    const dy = Math.max(n.position.y - at.y, 0, at.y - n.position.y - (n.height ?? 0));
    const away = Math.hypot(dx, 3 * dy); // on an arrow, the height tells which one is meant
    if (!best || away < best.away) best = { service, away };
  }
  return best?.service ?? null;
}

function BoxNode({ data }: NodeProps<Node<Box>>) {
  return (
    <div className={`box ${data.tone && `box-${data.tone}`}`}>
      {data.input && <Handle type="target" position={data.input} />}
      <div className="box-title">{data.tone === 'branch' && <IconFilter size={14} />}{data.tone === 'receiver' && <IconBell size={14} />}<span className="ellipsis">{data.title}</span>{data.rate && <span className="box-rate">{data.rate}</span>}</div>
      {data.says.map((line, i) => <div key={i} className="box-line ellipsis">{line}</div>)}
      {data.output && <Handle type="source" position={data.output} />}
    </div>
  );
}

/** An arrow whose figure stands before its head; all that come from one box bend at the same place. */
function Arrow({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, label, markerEnd }: EdgeProps) {
  const across = sourcePosition === Position.Right && targetPosition === Position.Left;
  const [path] = getSmoothStepPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, borderRadius: 8, offset: 8, centerX: across ? Math.min(sourceX + 18, targetX - 18) : undefined });
  const at = across ? { labelX: targetX - 32, labelY: targetY } : { labelX: sourceX + 36, labelY: (sourceY + targetY) / 2 };
  return <BaseEdge path={path} label={label} {...at} markerEnd={markerEnd} interactionWidth={24} />;
}

const STREAM = idOf({ kind: 'part', name: 'stream' });
const TYPES = { box: BoxNode };
const EDGES = { arrow: Arrow };
// Where the window is small it stays large enough to be read, and is moved about.
const FIT = { padding: 0.03, maxZoom: 1, minZoom: 0.6 };

type Name = 'Filter' | 'Sample' | 'Receiver';
const TOOLS: [Tool, Name, string][] = [
  ['filter', 'Filter', 'Lets pass what has a level, a route, or meets a condition'],
  ['sample', 'Sample', 'Lets a part of the requests pass, each with its lines'],
  ['receiver', 'Receiver', 'A mail or a webhook when a condition holds'],
];

/** What can be dragged into the drawing, or put before the picked service by a press. */
export function Tools({ onto, use, phone }: { onto: Service; use: (tool: Tool, on: Service) => void; phone: boolean }) {
  return (
    <div className="chips" role="group" aria-label="Add to the pipeline">
      <span className="label">{phone ? 'Add:' : 'Drag onto a service, or press:'}</span>
      {TOOLS.map(([tool, name, says]) => (
        <button
          key={tool} type="button" className="chip tool" draggable title={says} onDragStart={(e) => e.dataTransfer.setData(MIME, tool)} data-testid={ids[`pipeline${name}`]}
          onClick={() => use(tool, tool === 'receiver' ? 'alert' : onto)}
        >{name}{tool !== 'receiver' && ` before ${onto}`}</button>
      ))}
    </div>
  );
}
